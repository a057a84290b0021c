package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// call is one request.
type call struct {
	method, path string
	header       http.Header
	body         any  // encoded as JSON; a string goes as it is; nil for none
	unread       bool // the answer is not decoded: it is large, and read otherwise
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	value  any // the body, when it is JSON
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// code is the stable code of a problem document, or "".
func (a answer) code() string { return a.text("code") }

// text is a member of a JSON object that is a text, or "".
func (a answer) text(name string) string {
	object, _ := a.value.(map[string]any)
	text, _ := object[name].(string)
	return text
}

// send makes one call and holds the answer against the interface's description.
func (s *server) send(c call) (answer, error) {
	a, err := s.raw(c)
	if err != nil {
		return a, err
	}
	d, err := s.description()
	if err != nil {
		return a, err
	}
	if err := d.check(c, a); err != nil {
		return a, fmt.Errorf("%s %s: %w\nthe answer: %s", c.method, c.path, err, a)
	}
	return a, nil
}

// raw makes one call and looks at nothing.
func (s *server) raw(c call) (answer, error) {
	var body io.Reader = http.NoBody
	header := maps.Clone(c.header)
	if header == nil {
		header = http.Header{}
	}
	if c.body != nil {
		data, isText := c.body.(string)
		if !isText {
			encoded, err := json.Marshal(c.body)
			if err != nil {
				return answer{}, err
			}
			data = string(encoded)
		}
		body = strings.NewReader(data)
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/json")
		}
	}
	r, err := http.NewRequest(c.method, s.url+c.path, body)
	if err != nil {
		return answer{}, err
	}
	r.Header = header
	if host := header.Get("Host"); host != "" {
		r.Host = host
		header.Del("Host")
	}
	response, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return a, err
	}
	if !c.unread && strings.Contains(a.header.Get("Content-Type"), "json") {
		d := json.NewDecoder(bytes.NewReader(a.body))
		if err := d.Decode(&a.value); err != nil {
			return a, fmt.Errorf("%s %s answers JSON that cannot be read: %w: %s", c.method, c.path, err, a.body)
		}
	}
	return a, nil
}

// local makes a call under /_local/ that must succeed.
func (s *server) local(method, path string, body any) (answer, error) {
	a, err := s.raw(call{method: method, path: "/_local/" + path, body: body})
	if err == nil && a.status >= 300 {
		err = fmt.Errorf("%s /_local/%s answers %s", method, path, a)
	}
	return a, err
}

// now is the server's time.
func (s *server) now() (time.Time, error) {
	a, err := s.raw(call{method: "GET", path: "/_local/clock"})
	if err != nil {
		return time.Time{}, err
	}
	if a.code() == "clock_system" {
		return time.Now(), nil
	}
	return time.Parse(time.RFC3339Nano, a.text("now"))
}

// token signs somebody in.
func (s *server) token(who map[string]any) (string, error) {
	a, err := s.local("POST", "signin", who)
	return a.text("token"), err
}

// as returns the headers of a call somebody makes.
func (s *server) as(who map[string]any) (http.Header, error) {
	header := http.Header{}
	if who == nil {
		return header, nil
	}
	token, err := s.token(who)
	if err != nil {
		return nil, err
	}
	if who["gateway"] != nil {
		header.Set("Gateway-Key", token)
	} else {
		header.Set("Authorization", "Bearer "+token)
	}
	return header, nil
}

// descriptions of servers are all alike: one is read, once.
var described struct {
	sync.Mutex
	found *description
}

func (s *server) description() (*description, error) {
	described.Lock()
	defer described.Unlock()
	if described.found == nil {
		a, err := s.raw(call{method: "GET", path: "/openapi.json"})
		if err != nil {
			return nil, err
		}
		if described.found, err = parseDescription(a.body); err != nil {
			return nil, err
		}
	}
	return described.found, nil
}
