package httpapi

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"roster/domain/field"
)

// members is the body of a request: what it gives for each name.
type members map[string]field.Text

// maxMembers is the most members that a form may have (Django's DATA_UPLOAD_MAX_NUMBER_FIELDS).
const maxMembers = 1000

// decode reads the body of r. No body at all is an object without members, whatever the content type
// says, as in DRF.
func (s *server) decode(w http.ResponseWriter, r *http.Request) (members, error) {
	if r.ContentLength > s.MaxBody {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return nil, errTooLarge
		}
		return nil, errParse("Request", "the body ends too early")
	}
	if len(body) == 0 {
		return members{}, nil
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 12.5.3
		return nil, errContentCoding
	}
	header := r.Header.Get("Content-Type")
	mediaType, _, _ := strings.Cut(header, ";")
	text, known := charsetOf(header, s.LegacyCharsets)
	if !known {
		return nil, errMediaType(header)
	}
	switch mediaType = strings.ToLower(strings.TrimSpace(mediaType)); {
	case mediaType == "application/json":
		return decodeJSON(text, body, s.LenientJSON)
	case mediaType == "application/x-www-form-urlencoded" && s.AcceptForms:
		return decodeForm(text, string(body))
	case mediaType == "multipart/form-data" && s.AcceptForms:
		return decodeMultipart(text, string(body), header, s.LenientJSON)
	}
	return nil, errMediaType(header)
}

// decodeForm reads name=value pairs apart by "&" as Python does; see parsePairs.
func decodeForm(text charset, body string) (members, error) {
	if strings.Count(body, "&") >= maxMembers {
		return nil, errParse("Form", "too many members")
	}
	form := members{}
	for raw, value := range parsePairs(body) {
		name, _ := text.decode(raw)
		form[name] = text.text(name, value)
	}
	return form, nil
}

// decodeMultipart reads the parts of a form. Lenient is as Django: what is cut short or is no part at
// all ends the form.
func decodeMultipart(text charset, body, header string, lenient bool) (members, error) {
	const what = "Multipart form"
	_, params, err := mime.ParseMediaType(header)
	boundary := params["boundary"]
	if err != nil || boundary == "" || len(boundary) > 200 {
		return nil, errParse(what, "Invalid boundary in multipart: None")
	}
	form := members{}
	parts := multipart.NewReader(strings.NewReader(body), boundary)
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) && strings.Contains(body, "--"+boundary+"--") || err != nil && lenient {
			return form, nil
		}
		if err != nil {
			return nil, errParse(what, "malformed part")
		}
		if n >= maxMembers {
			return nil, errParse(what, "too many members")
		}
		value, err := io.ReadAll(part)
		if err != nil && !lenient {
			return nil, errParse(what, "malformed part")
		}
		if part.FileName() != "" {
			form[part.FormName()] = field.NotText()
			continue
		}
		of, known := charsetOf(part.Header.Get("Content-Type"), text.mend)
		switch {
		case !known:
			return nil, errMediaType(part.Header.Get("Content-Type"))
		case text.mend: // Django does not look at the charset of a part
			of = text
		}
		form[part.FormName()] = of.text(part.FormName(), string(value))
	}
}
