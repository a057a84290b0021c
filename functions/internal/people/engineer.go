package people

import (
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/built"
	"ostiary.internal/functions/internal/walk"
)

// sample is the sample company's policy.
const sample = "testdata/policies/sharedcontacts"

// promise is what the engineer promises, and finds on the trust page.
const promise = `promises:
  - id: N01
    text: {en: "No private account is given access to live systems unseen."}
    source: {file: handbook, section: Access}
    check: iam-membership
    severity: high
    kept_by:
      - rule: private-account
`

// rule keeps it, with the cases that show what it finds.
const rule = `match:
  - {method: ["setiam*"], outcome: [ok]}
when: 'delta.exists(d, d.change != "removed" && d.member.endsWith("@gmail.com"))'
alarm:
  class: private-account
  severity: high
  text:
    en: "A private account was given access. Take it out again, or say why."
    fr: "Un compte privé a reçu un accès. Retirez-le, ou dites pourquoi."
    de: "Ein privates Konto hat Zugriff erhalten. Nehmen Sie ihn zurück, oder sagen Sie, warum."
  justify: actor
promises: [N01]
tests:
  - name: a private account
    base: {protoPayload: &given {serviceName: cloudresourcemanager.googleapis.com, methodName: SetIamPolicy, authenticationInfo: {principalEmail: ben@company.example}}}
    entries: [{protoPayload: {serviceData: {policyDelta: {bindingDeltas: [{action: ADD, role: roles/viewer, member: "user:eve@gmail.com"}]}}}}]
    alarms: 1
  - name: one of ours
    base: {protoPayload: *given}
    entries: [{protoPayload: {serviceData: {policyDelta: {bindingDeltas: [{action: ADD, role: roles/viewer, member: "user:cleo@company.example"}]}}}}]
    alarms: 0
`

// engineer is the new colleague's: from the clone to a page, and to a promise and a rule of her own.
func (c Company) engineer() []Leg {
	c.T.Helper()
	first := c.begin(c.sit(nil, browser.Desk, "en"), "New engineer", "From the clone to the first page")
	first.leg.Desk = true
	first.command("git clone URL ostiary && cd ostiary")
	first.command("make run")
	var s *walk.Server
	first.time(func() {
		_, err := built.Command(c.Root)
		c.must(err)
		s = c.server()
	})
	first.Go(s.URL + "/")
	first.Show("start")

	root, err := os.MkdirTemp("", "people")
	c.must(err)
	c.T.Cleanup(func() { os.RemoveAll(root) })
	c.must(os.CopyFS(filepath.Join(root, "testdata", "policies"), os.DirFS(filepath.Join(c.Root, "testdata", "policies"))))
	change := c.begin(first.Person, "New engineer", "A promise and the rule that keeps it, on the trust page")
	change.leg.Desk = true
	change.write(filepath.Join(root, sample, "promises", "003-ours.yaml"), promise)
	change.write(filepath.Join(root, sample, "rules", "private-account.yaml"), rule)
	if said := c.run(change, root, "check", "--policy", sample); !strings.Contains(said, "in order") {
		c.T.Fatalf("the changed policy is not in order:\n%s", said)
	}
	change.command("make run")
	change.time(func() {
		s, err = walk.Start(c.Binary, root)
		c.must(err)
	})
	c.T.Cleanup(s.Close)
	c.must(s.Advance(2 * time.Minute)) // states are computed once a minute
	change.Go(s.URL + "/trustpage/?lang=en#p-N01")
	if !change.Has("#p-N01") {
		c.T.Fatalf("the new promise is not on the trust page")
	}
	return []Leg{*first.leg, *change.leg}
}

// command types a command without running it.
func (h *hand) command(line string) { h.leg.Keys += utf8.RuneCountInString(line) + 1 }

// write types a file.
func (h *hand) write(file, text string) {
	h.T.Helper()
	h.leg.Keys += utf8.RuneCountInString(text)
	h.company.must(os.WriteFile(file, []byte(text), 0o600))
}
