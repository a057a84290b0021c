package walk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Call sends JSON and reads the JSON of the answer; header and into may be nil. An answer that refuses is an error that quotes
// it.
func (s *Server) Call(method, path string, header http.Header, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(method, s.URL+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		r.Header[name] = values
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err == nil && answer.StatusCode > 299 {
		err = fmt.Errorf("%s: %.300s", answer.Status, text)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// ActAs is the entry of the log in which Emma, of support, acts as the nth user of the customer Cabinet Nord.
func ActAs(n int, at time.Time) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"logName":"projects/sharedcontacts-live/logs/act-as","timestamp":%q,"insertId":"%d","jsonPayload":{"event":"impersonation.started",
		"employee":%q,"user":"u-%d","domain":"cabinetnord.example","reason":"labels are missing","address":"203.0.113.9","at":%[1]q,"result":"ok"}}`,
		at.Format(time.RFC3339), n, Email("emma.dubois"), 17+n))
}

// Email is the address of somebody of the sample company, such as emma.dubois.
func Email(who string) string { return who + "@sharedcontacts.example" }

// Mail is a message in the mailbox.
type Mail struct {
	To, Subject, Text string
	Links, Codes      []string
}

// Mails are what somebody has, the newest last. The address may be cut off at its end.
func (s *Server) Mails(to string) (hers []Mail, err error) {
	var box struct{ Messages []Mail }
	err = s.Call(http.MethodGet, "/_local/mail", nil, nil, &box)
	for _, m := range box.Messages {
		if strings.HasPrefix(m.To, to) {
			hers = append(hers, m)
		}
	}
	return hers, err
}
