package smtpserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"time"
)

// Mail is a mail that a server accepted.
type Mail struct {
	Sender     string   // of the envelope
	Recipients []string // of the envelope
	Header     mail.Header
	From       string // decoded, as NAME <ADDRESS>
	To         string // the bare address
	Subject    string // decoded
	Text       string // of the part text/plain, with \n, without white space at its ends
	HTML       string // of the part text/html
	Raw        string
}

// Parse parses a mail in a file.
func Parse(raw []byte) (*Mail, error) { return parse("", nil, raw) }

func parse(sender string, recipients []string, raw []byte) (*Mail, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	m := &Mail{Sender: sender, Recipients: recipients, Header: msg.Header, Raw: string(raw)}
	from, err := mail.ParseAddress(msg.Header.Get("From"))
	if err != nil {
		return nil, fmt.Errorf("header From: %w", err)
	}
	m.From = strings.TrimSpace(from.Name + " <" + from.Address + ">")
	to, err := mail.ParseAddress(strings.Replace(msg.Header.Get("To"), "[IPv6:", "[", 1)) // which net/mail does not parse
	if err != nil {
		return nil, fmt.Errorf("header To: %w", err)
	}
	m.To = to.Address
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return nil, fmt.Errorf("header Subject: %w", err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return nil, fmt.Errorf("Content-Type %q: %w", kind, err)
	}
	for parts := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return m, nil
		}
		if err != nil {
			return nil, err
		}
		if err := m.part(p); err != nil {
			return nil, err
		}
	}
}

func (m *Mail) part(p *multipart.Part) error {
	var body io.Reader = p
	switch strings.ToLower(p.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(p)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, p)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(strings.ReplaceAll(string(content), "\r\n", "\n"))
	switch kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type")); {
	case err != nil:
		return err
	case !strings.EqualFold(params["charset"], "utf-8"):
		return fmt.Errorf("charset %q", params["charset"])
	case kind == "text/plain":
		m.Text = text
	case kind == "text/html":
		m.HTML = text
	}
	return nil
}

// certify makes the certificate.
func (s *Server) certify() {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: []string{s.options.Name},
	}
	if s.options.Name == "" {
		template.DNSNames, template.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.Roots = x509.NewCertPool()
	s.Roots.AppendCertsFromPEM(s.PEM)
	s.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}
