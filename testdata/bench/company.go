package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/testdata/policies"
)

// morning is when every day of a run begins, in Paris at five to ten.
var morning = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// company is a running server with many people, each with an authenticator.
type company struct {
	server *program
	people []person
	now    time.Time
	sent   int // registrations so far
}

type person struct {
	email, token string
	key          *otp.Key
}

const security = "simone.bernard@sharedcontacts.example"

// openCompany starts the server for a copy of the sample company that employs many more, and enrols them.
func (b *bench) openCompany(ctx context.Context) (*company, error) {
	c := &company{now: morning}
	folder := filepath.Join(b.dir, "policies")
	if err := os.CopyFS(folder, policies.FS); err != nil {
		return nil, err
	}
	var staff strings.Builder
	for n := range b.people {
		c.people = append(c.people, person{email: fmt.Sprintf("p%04d@sharedcontacts.example", n)})
		fmt.Fprintf(&staff, "  - {id: p%04d, email: %s, name: Person %d, roles: [employee], zone: Europe/Paris, language: en, manager: marc}\n", n, c.people[n].email, n)
	}
	file := filepath.Join(folder, "sharedcontacts", "people.yaml")
	known, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, append(known, staff.String()...), 0o600); err != nil {
		return nil, err
	}
	path, err := b.build(ctx, "ostiary", "./functions/ostiary")
	if err != nil {
		return nil, err
	}
	c.server, err = start(ctx, []string{"OSTIARY_SOURCE_CAP=1000000", "OSTIARY_CLIENT_ADDRESS="}, path, "serve", "--port", "0", "--data", filepath.Join(b.dir, "data"),
		"--policy", filepath.Join(folder, "sharedcontacts"), "--clock", "manual", "--now", morning.Format(time.RFC3339))
	if err != nil {
		return nil, err
	}
	if err := c.enrol(ctx); err != nil {
		c.server.stop()
		return nil, err
	}
	return c, nil
}

// enrol imports an authenticator for everybody.
func (c *company) enrol(ctx context.Context) error {
	token, err := c.signIn(ctx, security)
	if err != nil {
		return err
	}
	for i := range c.people {
		seed := make([]byte, 20)
		if _, err := rand.Read(seed); err != nil {
			return err
		}
		c.people[i].key = otp.NewKey(otp.SHA1, seed, 6)
		body := map[string]string{"email": c.people[i].email, "kind": "totp", "secret": base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)}
		if _, err := c.call(ctx, "/enrolotp/v1/imports", token, body, http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// nextDay begins the next morning: what was registered the day before is over and gone from the list, and everybody is
// signed in.
func (c *company) nextDay(ctx context.Context) error {
	if err := c.settle(ctx); err != nil {
		return err
	}
	c.now = c.now.Add(24 * time.Hour)
	if _, err := c.call(ctx, "/_local/clock", "", map[string]string{"now": c.now.Add(-time.Minute).Format(time.RFC3339)}, http.StatusOK); err != nil {
		return err
	}
	if _, err := c.call(ctx, "/_local/clock", "", map[string]string{"advance": "1m"}, http.StatusOK); err != nil {
		return err
	}
	for i := range c.people {
		token, err := c.signIn(ctx, c.people[i].email)
		if err != nil {
			return err
		}
		c.people[i].token = token
	}
	return nil
}

// settle waits until nothing is on its way any more, for half a minute at a time.
func (c *company) settle(ctx context.Context) error {
	for {
		_, err := c.call(ctx, "/_local/settle", "", nil, http.StatusOK)
		if err == nil || !strings.Contains(err.Error(), ": 504 ") {
			return err
		}
	}
}

// jobs are the registrations of a morning: as many people, each with today's code, from addresses nobody had before.
func (c *company) jobs(count int) ([]job, error) {
	if count > len(c.people) {
		return nil, fmt.Errorf("%d registrations of %d people: a code counts once", count, len(c.people))
	}
	step := uint64(c.now.Unix() / otp.Period)
	var jobs []job
	for _, p := range c.people[:count] {
		c.sent++
		header := http.Header{}
		header.Set("Authorization", "Bearer "+p.token)
		header.Set("Content-Type", "application/json")
		header.Set("Idempotency-Key", fmt.Sprint("registration ", c.sent))
		header.Set("X-Ostiary-Client", fmt.Sprintf("82.%d.%d.%d", c.sent>>16&255, c.sent>>8&255, c.sent&255))
		jobs = append(jobs, job{fmt.Sprintf(`{"code":%q}`, p.key.Value(step)), header})
	}
	return jobs, nil
}

func (c *company) signIn(ctx context.Context, email string) (string, error) {
	text, err := c.call(ctx, "/_local/signin", "", map[string]string{"email": email}, http.StatusOK)
	if err != nil {
		return "", err
	}
	var answer struct{ Token string }
	err = json.Unmarshal(text, &answer)
	return answer.Token, err
}

func (c *company) call(ctx context.Context, path, token string, body map[string]string, want int) ([]byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "X-Ostiary-Client": {"81.2.69.142"}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	status, text, err := send(ctx, http.DefaultClient, http.MethodPost, c.server.url+path, string(data), header)
	if err == nil && status != want {
		err = fmt.Errorf("POST %s: %d %s", path, status, text)
	}
	return text, err
}
