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

// members is the body of a request: the values by member name.
type members map[string]field.Text

// maxMembers is how many members a form may have (Django's DATA_UPLOAD_MAX_NUMBER_FIELDS).
const maxMembers = 1000

// decode reads the members in the body of r. As in DRF, an empty body is an object without members, whatever its content
// type.
func (s *server) decode(w http.ResponseWriter, r *http.Request) (members, error) {
	body, err := s.readBody(w, r)
	if err != nil || len(body) == 0 {
		return members{}, err
	}
	contentType := r.Header.Get("Content-Type")
	cs, ok := charsetOf(contentType, s.LegacyCharsets)
	if !ok {
		return nil, errMediaType(contentType)
	}
	switch mediaType := mediaTypeOf(contentType); {
	case mediaType == "application/json":
		return decodeJSON(cs, body, s.LenientJSON)
	case mediaType == formType && s.AcceptForms:
		return decodeForm(cs, string(body))
	case mediaType == "multipart/form-data" && s.AcceptForms:
		return decodeMultipart(cs, string(body), contentType, s.LenientJSON)
	}
	return nil, errMediaType(contentType)
}

// decodePostedForm reads the members of a form that a browser posted from a page of the service.
func (s *server) decodePostedForm(w http.ResponseWriter, r *http.Request) (members, error) {
	contentType := r.Header.Get("Content-Type")
	cs, ok := charsetOf(contentType, false)
	if !ok || mediaTypeOf(contentType) != formType {
		return nil, errMediaType(contentType)
	}
	body, err := s.readBody(w, r)
	if err != nil {
		return nil, err
	}
	return decodeForm(cs, string(body))
}

const formType = "application/x-www-form-urlencoded"

func mediaTypeOf(contentType string) string {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// readBody reads the body of r. It fails for one that is too large or encoded.
func (s *server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
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
	if coding := r.Header.Get("Content-Encoding"); len(body) > 0 && coding != "" && !strings.EqualFold(coding, "identity") {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 12.5.3
		return nil, errContentCoding
	}
	return body, nil
}

// decodeForm reads a URL-encoded form as Python does; see parsePairs.
func decodeForm(cs charset, body string) (members, error) {
	if strings.Count(body, "&") >= maxMembers {
		return nil, errParse("Form", "too many members")
	}
	form := members{}
	for raw, value := range parsePairs(body) {
		name, _ := cs.decode(raw)
		form[name] = cs.member(name, value)
	}
	return form, nil
}

// decodeMultipart reads the parts of a form. If lenient is set, a truncated or malformed part ends the form without an
// error, as in Django.
func decodeMultipart(cs charset, body, contentType string, lenient bool) (members, error) {
	const what = "Multipart form"
	_, params, err := mime.ParseMediaType(contentType)
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
		partCharset := cs // Django ignores the charset of a part
		if !cs.lenient {
			var ok bool
			if partCharset, ok = charsetOf(part.Header.Get("Content-Type"), false); !ok {
				return nil, errMediaType(part.Header.Get("Content-Type"))
			}
		}
		form[part.FormName()] = partCharset.member(part.FormName(), string(value))
	}
}
