package watchaudit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
)

// unreadable is what can never be an entry.
var unreadable = []string{
	"", "canary", "null", "{}", "[{}]", `"canary"`, "7", "\x00", "{\"logName\":\"projects/p/logs/x\",\"textPayload\":\"\x00\"}", "\xff\xfe", `{"logName":"canary","textPayload":`,
	`{"protoPayload":"canary"}`, `{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog"},"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity"}`,
	`{"message":{"data":"!canary"}}`, `{"insertId":"1","insertId":"2","textPayload":"canary"}`, `{"logName":{"canary":1},"textPayload":"x"}`,
	strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
	`{"logName":"projects/p/logs/x","jsonPayload":` + strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_000) + "}",
	strings.Repeat(`{"data":`, 30) + `{"textPayload":"canary"}` + strings.Repeat("}", 30),
}

// TestUnreadable: what cannot be read is acknowledged, recorded and an alarm, the same delivered again the same; none of
// it is in the log or in what goes out. An array's other entries are judged.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Private("canary")
	for i, data := range unreadable {
		before := documents(t, w, "episode_members")
		for range 2 {
			entry(t, w, data).Want(t, 204, "")
		}
		if n := documents(t, w, "episode_members") - before; n != 1 {
			t.Errorf("%d, %.40q: %d more in the alarm", i, data, n)
		}
	}
	same(t, "unreadable", alarms(t, w), []string{"unreadable unreadable-entry  1"})
	got := sent(t, w)
	letters := map[string]bool{}
	for _, m := range w.Published(TopicUnreadable) {
		var kept struct{ Body []byte }
		if err := json.Unmarshal(m.Message.Data, &kept); err != nil {
			t.Fatal(err)
		}
		letters[string(kept.Body)] = true
	}
	for i, data := range unreadable {
		if data != "" && !letters[data] {
			t.Errorf("%d, %.40q: is not among the dead letters", i, data)
		}
	}
	if got["gap watchaudit"] != len(unreadable) || got["finding watch unreadable-entry"] != 1 || got["message.requested"] == 0 {
		t.Errorf("went out: %v", got)
	}
	entry(t, w, `[{"canary":1},`+granted("1", "emma.dubois", w.Clock.Now())+`,"canary"]`).Want(t, 204, "")
	same(t, "an array with some of it", alarms(t, w), []string{"unreadable unreadable-entry  1", stranger})
	quiet(t, w, "canary")
}

// quiet looks that nothing of a text is in what goes out.
func quiet(t *testing.T, w *functiontest.World, texts ...string) {
	t.Helper()
	var out strings.Builder
	for _, r := range w.Records(t) {
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	for _, m := range w.Published("message.requested") {
		out.Write(m.Message.Data)
		fmt.Fprint(&out, m.Message.Attributes)
	}
	for _, text := range texts {
		if strings.Contains(strings.ToLower(out.String()), text) {
			t.Errorf("%q stands in what goes out", text)
		}
	}
}

// TestEnvelope: a body that is no push of ours is told of too, whoever made it.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	for _, body := range []string{"canary", "{}", `{"message":7}`, pushed(w, "topic.of.others", `{"other":1}`), pushed(w, TopicLeases, `"canary"`), pushed(w, TopicLeases, `{"lease":"l"}`),
		`{"subscription":"projects/test/subscriptions/canary","message":{"messageId":"1","data":"e30g"}}`} {
		before := documents(t, w, "episode_members")
		w.Event(t, "watchaudit", body).Want(t, 204, "")
		if n := documents(t, w, "episode_members") - before; n != 1 {
			t.Errorf("%.60q: %d more in the alarm", body, n)
		}
	}
	same(t, "no pushes", alarms(t, w), []string{"unreadable unreadable-entry  1"})
	for _, r := range w.Records(t) {
		if r.Kind == record.Gap && r.Result.State != record.Undetermined {
			t.Errorf("%+v", r)
		}
	}
	quiet(t, w, "canary")
}

// crowd is what raises other alarms beside.
const crowd = "behind 9,000 of our own"

// hostile are entries that are entries, and say strange things. Want is the one alarm.
var hostile = []struct{ name, from, to, want string }{
	{"as it is", "", "", "violation approved-identities"},
	{"300 KB of request", `"status":{}`, `"status":{},"request":{"canary":"` + strings.Repeat("x", 300_000) + `"}`, "violation approved-identities"},
	{"a request of 5,000 members", `"status":{}`, `"status":{},"request":{` + strings.Repeat(`"canary":1,`, 4_999) + `"a":1}`, "violation approved-identities"},
	{"foreign words in flags", `"status":{}`, `"status":{},"request":{"settings":{"ipConfiguration":{"requireSsl":"vielleicht","authorizedNetworks":"canary"}}}`, "violation approved-identities"},
	{"a deep request", `"status":{}`, `"status":{},"request":` + strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500), "unreadable unreadable-entry"},
	{"year 0000", `"timestamp":"2026-03-03T08:55:00Z"`, `"timestamp":"0000-01-01T00:00:00Z"`, "violation approved-identities"},
	{"year 9999", `"timestamp":"2026-03-03T08:55:00Z"`, `"timestamp":"9999-12-31T23:59:59.999999999Z"`, "violation approved-identities"},
	{"no time", `"timestamp":"2026-03-03T08:55:00Z",`, ``, "violation approved-identities"},
	{"no time that can be read", `"2026-03-03T08:55:00Z"`, `"canary"`, "violation approved-identities"},
	{crowd, `"bindingDeltas":[`, `"bindingDeltas":[` + strings.Repeat(`{"action":"ADD","role":"r","member":"user:a@sharedcontacts.example"},`, 9_000), "violation approved-identities"},
	{"no service", `"serviceName":"cloudresourcemanager.googleapis.com",`, ``, "violation approved-identities"},
	{"no insert id", `"insertId":"1",`, ``, "violation approved-identities"},
	{"a long insert id", `"insertId":"1"`, `"insertId":"` + strings.Repeat("canary", 10_000) + `"`, "violation approved-identities"},
	{"NUL in the actor", `"emma.dubois@`, `"\u0000canary@`, "violation approved-identities"},
	{"nobody", `"principalEmail":"emma.dubois@sharedcontacts.example"`, ``, "violation approved-identities"},
	{"an actor of 100 KB", `"emma.dubois@`, `"` + strings.Repeat("canary", 20_000) + `@`, "violation approved-identities"},
	{"a look-alike domain that ends alike", `stranger@example.net`, `stranger@notsharedcontacts.example`, "violation approved-identities"},
	{"a look-alike domain that begins alike", `stranger@example.net`, `stranger@sharedcontacts.example.net`, "violation approved-identities"},
	{"a look-alike letter", `stranger@example.net`, `stranger@sharedcоntacts.example`, "violation approved-identities"},
	{"a domain below", `stranger@example.net`, `stranger@mail.sharedcontacts.example`, "violation approved-identities"},
	{"two at signs", `stranger@example.net`, `stranger@example.net@sharedcontacts.example`, "violation approved-identities"},
	{"a member without a kind", `user:canary.stranger@example.net`, `canary@example.net`, "violation approved-identities"},
	{"half a character in the member", `canary.stranger@`, `canary\ud800@`, "violation approved-identities"},
	{"capitals", `user:canary.stranger@example.net`, `user:Erik.Vogel@SharedContacts.EXAMPLE`, "violation live-data-members"},
	{"one of our own", `user:canary.stranger@example.net`, `user:erik.vogel@sharedcontacts.example`, "violation live-data-members"},
	{"somebody says she is the watch", `"insertId":"1"`, `"insertId":"1","labels":{"ostiary-heartbeat":"1"}`, "violation approved-identities"},
}

// TestHostile: whatever an entry says beside what a rule looks at, the rule judges it; it trusts nothing that only looks
// alike; what it says goes into no log and no evidence.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, c := range hostile {
		w := functiontest.New(t, setup)
		w.Private("canary", "vielleicht")
		text := granted("1", "emma.dubois", w.Clock.Now())
		if c.from != "" && !strings.Contains(text, c.from) {
			t.Fatalf("%s: the entry holds no %s", c.name, c.from)
		}
		text = strings.Replace(text, c.from, c.to, 1)
		for range 2 {
			entry(t, w, text).Want(t, 204, "")
		}
		found := alarms(t, w)
		if alone := len(found) == 1 || c.name == crowd; !alone || !slices.ContainsFunc(found, func(a string) bool { return strings.HasPrefix(a, c.want) }) {
			t.Errorf("%s: alarms %q, want %q", c.name, found, c.want)
		}
		_, rule, _ := strings.Cut(c.want, " ")
		if got := sent(t, w); got["finding watch "+rule] != 1 || got["message.requested"] == 0 {
			t.Errorf("%s went out: %v", c.name, got)
		}
		quiet(t, w, "canary", "vielleicht", "81.2.69.193")
	}
}

// TestOutages: while a part is away an entry is to come again, and nothing is half done.
func TestOutages(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	text := granted("1", "emma.dubois", w.Clock.Now())
	refused := func(data string) {
		t.Helper()
		before := w.State(t)
		if got := entry(t, w, data); got.Status != 503 {
			t.Errorf("answered %d", got.Status)
		}
		w.Unchanged(t, before)
	}
	for _, part := range []*functiontest.Switch{&w.MessageKey, &w.Store, &w.EvidenceKey} {
		part.Down()
		refused(text)
		part.Up()
		w.Restart()
	}
	for _, part := range []*functiontest.Switch{&w.Inbox, &w.MessageKey, &w.Store} {
		part.Down()
		refused("canary")
		part.Up()
		w.Restart()
	}
	entry(t, w, text).Want(t, 204, "")
	entry(t, w, "canary").Want(t, 204, "")
	same(t, "in the end", alarms(t, w), []string{"unreadable unreadable-entry  1", stranger})
}
