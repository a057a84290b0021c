package breachwalk

import (
	"ostiary.internal/functions/internal/walk/walktest"

	"net/http"
	"os"
	"testing"

	"ostiary.internal/functions/internal/browser"
)

var stage walktest.Stage

func TestMain(m *testing.M) { os.Exit(stage.Run(m, walktest.Servers)) }

type server struct{ *walktest.Server }

func serve(t *testing.T) *server {
	t.Helper()
	return &server{stage.Serve(t)}
}

// as calls the API as somebody of the company.
func (s *server) as(who, method, path string, body, into any) {
	s.T.Helper()
	s.As(who, method, "/declarebreach/v1"+path, body, into)
}

type object = map[string]any

// declared is a case, made by somebody who knows more than nothing; it returns its id.
func (s *server) declared(client string, with object) string {
	s.T.Helper()
	body := object{"client_id": client, "kind": "breach", "summary": "An export with names and address books lay open.", "tenants": []string{"own", "banque-du-port", "klinik-am-see"}}
	for name, value := range with {
		body[name] = value
	}
	var made struct{ ID string }
	s.as("emma.dubois", http.MethodPost, "/breaches", body, &made)
	s.Settled()
	return made.ID
}

// person is somebody of the company in front of a browser.
type person struct{ *walktest.Person }

// sit signs somebody in and opens the list of cases.
func (s *server) sit(name string, size browser.Size, lang string) *person {
	s.T.Helper()
	return &person{s.Staff(name, size, lang, "/declarebreach/")}
}
