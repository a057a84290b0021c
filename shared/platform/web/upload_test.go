package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http/httptest"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// posted is a form of fields, and of a file where one is given.
func posted(file []byte, fields ...string) (body *bytes.Buffer, kind string) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	if file != nil {
		part, _ := w.CreateFormFile("mail", "../../etc/passwd")
		_, _ = part.Write(file)
	}
	_ = w.Close()
	return body, w.FormDataContentType()
}

func TestUpload(t *testing.T) {
	t.Parallel()
	f, token := forms(t, 1), forms(t, 1).Token("anna", "desk", start)
	const most = 100_000
	many := make([]string, 0, 120)
	for range 60 {
		many = append(many, "x", "y")
	}
	for name, test := range map[string]struct {
		file   []byte
		fields []string
		change func(body, kind string) (string, string)
		code   string
	}{
		"with a file":          {[]byte("From: a@b.example\r\n\r\n\xff\x00"), []string{"csrf", token, "text", "hällo"}, nil, ""},
		"without one":          {nil, []string{"csrf", token, "text", "hällo"}, nil, ""},
		"the largest":          {bytes.Repeat([]byte("x"), most), []string{"csrf", token, "text", "hällo"}, nil, ""},
		"another's token":      {nil, []string{"csrf", forms(t, 1).Token("bert", "desk", start), "text", "hällo"}, nil, "form_expired"},
		"no token":             {nil, []string{"text", "hällo"}, nil, "form_expired"},
		"a file too large":     {bytes.Repeat([]byte("x"), most+1), []string{"csrf", token}, nil, "too_large"},
		"fields too large":     {nil, []string{"csrf", token, "text", strings.Repeat("x", web.MaxBodyBytes)}, nil, "too_large"},
		"two fields too large": {nil, []string{"a", strings.Repeat("x", web.MaxBodyBytes/2+1), "b", strings.Repeat("x", web.MaxBodyBytes/2+1)}, nil, "too_large"},
		"much too large":       {bytes.Repeat([]byte("x"), 5*most), []string{"csrf", token}, nil, "too_large"},
		"too many fields":      {nil, many, nil, "body_invalid"},
		"not text":             {nil, []string{"csrf", token, "text", "\xff"}, nil, "body_invalid"},
		"a field without name": {nil, []string{"csrf", token, "", "x"}, nil, "body_invalid"},
		"cut off":              {nil, []string{"csrf", token, "text", "hällo"}, func(body, kind string) (string, string) { return body[:len(body)-20], kind }, "body_invalid"},
		"not a form":           {nil, []string{"csrf", token}, func(body, _ string) (string, string) { return body, "application/json" }, "body_invalid"},
		"no boundary":          {nil, []string{"csrf", token}, func(body, _ string) (string, string) { return body, "multipart/form-data" }, "body_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, kind := posted(test.file, test.fields...)
			text := body.String()
			if test.change != nil {
				text, kind = test.change(text, kind)
			}
			r := httptest.NewRequest("POST", "/", strings.NewReader(text))
			r.Header.Set("Content-Type", kind)
			values, file, err := f.Upload(httptest.NewRecorder(), r, "anna", "desk", "mail", most, start)
			if got := fault.CodeOf(err); got != test.code {
				t.Fatalf("error %v, want %q", err, test.code)
			}
			if err == nil && (values.Get("text") != "hällo" || !bytes.Equal(file, test.file)) {
				t.Errorf("read %v and %d bytes", values, len(file))
			}
			if test.code == "form_expired" && values.Get("text") != "hällo" {
				t.Error("what was filled in is lost")
			}
		})
	}
}

func TestReadForm(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{"a=1&b=h%C3%A4llo": "", "": "", "a=%ff": "body_invalid", "a=%zz": "body_invalid", "a=" + strings.Repeat("x", web.MaxBodyBytes): "too_large"} {
		r := httptest.NewRequest("POST", "/?a=2", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		values, err := web.ReadForm(httptest.NewRecorder(), r)
		if fault.CodeOf(err) != code || err == nil && len(values["a"]) > 1 {
			t.Errorf("%.20q: %v, %v", text, values, err)
		}
	}
}
