package declarebreach

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/message"
)

// What was sent is shown as it was sent, to whom it was, also where nothing could be sent any more.
func TestSentIsShown(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, nil)
	one := path + "/notices/1"
	var before, after Opened
	do(t, w, simone, "GET", one, nil, 200, "").Decode(t, &before)
	agree(t, w, dorothea, one+"/approve", Agreement{n.Hash})
	tick(t, w)
	for _, r := range sent(t, w) {
		hears(t, w, message.TopicAccepted, r, message.StateAccepted).Want(t, 204, "")
	}
	tick(t, w)
	post(t, w, simone, path+"/compromised", Channels{Channels: []string{"mail"}})
	do(t, w, simone, "GET", one, nil, 200, "").Decode(t, &after)
	if after.State != "sent" || after.Now != "" || after.Count != before.Count || len(after.Messages) != len(before.Messages) {
		t.Fatalf("%+v", after)
	}
	for i, m := range after.Messages {
		if was := before.Messages[i]; m.Text != was.Text || m.Subject != was.Subject || m.Tenant != was.Tenant || !slices.Equal(m.Ways, was.Ways) {
			t.Errorf("%d: %+v was sent as %+v", i, m, was)
		}
	}
	if do(t, w, simone, "GET", one+"?from=2", nil, 200, "").Decode(t, &after); len(after.Messages) != 1 || after.Messages[0].Text != before.Messages[2].Text {
		t.Errorf("the rest: %+v", after.Messages)
	}
	onPage := "/case/" + strings.TrimPrefix(path, "/breaches/") + "/notices/1"
	says(t, look(t, w, simone, onPage+"?lang=en"), before.Messages[0].Subject, `/notices/1?to=2#shown`)
	says(t, look(t, w, simone, onPage+"?lang=en&to=2"), before.Messages[2].Subject, strings.Split(before.Messages[2].Text, "\n")[0])
}

// A notice that cannot be sent as things are is opened all the same, and says why.
func TestUnsendableIsShown(t *testing.T) {
	t.Parallel()
	w, path, _ := written(t, nil)
	post(t, w, simone, path+"/compromised", Channels{Channels: []string{"mail"}})
	onPage := "/case/" + strings.TrimPrefix(path, "/breaches/") + "/notices/1?lang=en"
	says(t, look(t, w, simone, onPage), "A customer of the notice has nobody to be told.", "An export of contacts lay open.")
}

// Who was told is not ticked in the form for another first notice; who hears of news is.
func TestToldIsNotTicked(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, object{"tenants": []string{"klinik-am-see"}})
	ticked := func(kind, tenant string) bool {
		form := look(t, w, simone, "/case/"+strings.TrimPrefix(path, "/breaches/")+"/notices/new?lang=en&kind="+kind)
		if !strings.Contains(form, `name="tenant" value="`+tenant+`"`) {
			t.Errorf("%s cannot be ticked", tenant)
		}
		return strings.Contains(form, `name="tenant" value="`+tenant+`" checked`)
	}
	if !ticked("initial", "klinik-am-see") || !ticked("initial", "banque-du-port") {
		t.Error("somebody who was not told is not ticked")
	}
	agree(t, w, dorothea, path+"/notices/1/approve", Agreement{n.Hash})
	if ticked("initial", "klinik-am-see") || !ticked("initial", "banque-du-port") || !ticked("update", "klinik-am-see") {
		t.Error("who was told is ticked, or somebody else is not")
	}
}
