package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Who of the sample company does what: nobody of them decides about herself.
const (
	simone   = "simone.bernard@sharedcontacts.example" // security
	stefan   = "stefan.weber@sharedcontacts.example"   // security, on call
	dorothea = "dorothea.klein@sharedcontacts.example" // data protection officer
	odile    = "odile.martin@sharedcontacts.example"   // owner
	marc     = "marc.petit@sharedcontacts.example"     // manager
	surname  = "zwickelbauer"                          // of everybody who was added: it stands in nothing public
	domain   = "sharedcontacts.example"
	live     = "sharedcontacts-live"
)

// member is somebody of the company who works there every day.
type member struct {
	id, email, name string
	home            int // which part of the addresses is hers
}

// address is one of the places she may sit at.
func (m member) address(n int) string {
	return fmt.Sprintf("81.2.%d.%d", 72+m.home/4, 1+m.home%4*60+n%50)
}

// address6 is the other address of the same device.
func (m member) address6(n int) string {
	return fmt.Sprintf("2a02:6b8:%x:%x::7", 0x7000+m.home, 1+n%50)
}

// zones are where they live: days end at different hours, and one of them in the middle of others' mornings.
var zones = []string{"Europe/Paris", "Asia/Kolkata", "America/Santiago", "Pacific/Auckland"}

// establish makes the policy folder of the company: the sample's, with more people.
func establish(sample, dir string, people int) ([]member, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, err
	}
	if err := os.CopyFS(filepath.Dir(dir), os.DirFS(filepath.Dir(sample))); err != nil {
		return nil, fmt.Errorf("copying the policy: %w", err)
	}
	var members []member
	var more strings.Builder
	for n := range people {
		m := member{id: fmt.Sprintf("worker-%02d", n), name: fmt.Sprintf("Ottokar%02d Zwickelbauer", n), home: n}
		m.email = fmt.Sprintf("ottokar%02d.%s@%s", n, surname, domain)
		fmt.Fprintf(&more, "  - {id: %s, email: %s, name: %s, roles: [employee], zone: %s, language: %s, manager: marc}\n", m.id, m.email, m.name, zones[n%len(zones)], []string{"fr", "en", "de"}[n%3])
		members = append(members, m)
	}
	if err := extend(filepath.Join(dir, "people.yaml"), "", more.String()); err != nil {
		return nil, err
	}
	// Who registers all day long is not what the limit of a day is for.
	return members, extend(filepath.Join(dir, "access.yaml"), "lease:\n", "lease:\n  changes_per_day: 50\n")
}

// extend puts text in the place of a line of a file, or at its end.
func extend(file, line, text string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	if line == "" {
		data = append(data, text...)
	} else if !bytes.Contains(data, []byte(line)) {
		return fmt.Errorf("%s has no line %q any more", file, line)
	} else {
		data = bytes.Replace(data, []byte(line), []byte(text), 1)
	}
	return os.WriteFile(file, data, 0o600)
}
