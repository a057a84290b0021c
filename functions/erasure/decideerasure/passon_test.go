package decideerasure

import (
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/message"
)

// Somebody the directory does not have is on a list of her own, and is passed on by a person who did not enter her letter.
func passedOn(t *testing.T) {
	t.Parallel()
	s := started(t)
	letter := Letter{Channel: "letter", Received: s.Clock.Now(), Tenant: tenant, Reply: "eve@end.example", Text: "I bought shoes.\n" + strings.Repeat("x", 60_000), Language: "en"}
	var made Entered
	do(t, s, dorothea, "POST", "/v1/requests", letter, 201, "").Decode(t, &made)
	path := "/v1/requests/" + made.ID
	if err := s.Requests.Identify(t.Context(), made.ID, s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	var listed struct{ Requests []Listed }
	do(t, s, simone, "GET", "/v1/requests?show=unknown", nil, 200, "").Decode(t, &listed)
	if len(listed.Requests) != 1 || listed.Requests[0].ID != made.ID {
		t.Errorf("unknown are %+v", listed.Requests)
	}
	do(t, s, dorothea, "POST", path+"/passon", PassedOn{tenant}, 403, "approve_self")
	do(t, s, simone, "POST", path+"/passon", PassedOn{"nobody"}, 400, "body_invalid")
	var whole Whole
	do(t, s, simone, "POST", path+"/passon", PassedOn{tenant}, 200, "").Decode(t, &whole)
	if whole.State != string(request.Forwarding) {
		t.Errorf("passed on as %s", whole.State)
	}
	if len(s.Published(message.TopicRequested)) == 0 {
		t.Error("nobody was written to")
	}
}

// A mail as large as the form takes it is taken by a program too, and nothing larger.
func TestLargeMail(t *testing.T) {
	t.Parallel()
	s := started(t)
	head := "Received: from mx by mail; Mon, 02 Mar 2026 10:00:00 +0100\r\nFrom: Mia <" + mia + ">\r\nSubject: forget me\r\nContent-Type: text/plain\r\n\r\n"
	for size, want := range map[int]int{request.MaxMail: 201, request.MaxMail + 1: 400, 2 * maxLetter: 413} {
		body := Letter{Tenant: tenant, EML: head + strings.Repeat("\n", size-len(head))}
		if got := s.Call(t, call(s.World, simone, "POST", "/v1/requests", body)); got.Status != want {
			t.Errorf("a mail of %d bytes: %d %s, want %d", size, got.Status, got.Code, want)
		}
	}
}
