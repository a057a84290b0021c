package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"

	"ostiary.internal/shared/trust/page"
	"ostiary.internal/shared/trust/promise"
)

// marshal writes the page as encoding/json does.
func (a *archive) marshal() error {
	_, err := json.Marshal(a.page)
	return err
}

// paging compares the three steps of a trust page, from what was folded of the log to states, from there to the bytes
// whose digest goes on record, and to the HTML that people read, with encoding/json of the same page.
func (b *bench) paging(ctx context.Context) error {
	a, err := b.open(ctx)
	if err != nil {
		return err
	}
	paper, err := b.paper()
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		call func() error
	}{
		{"states computed", func() error {
			if s := promise.Snap(a.ledger, a.page.Origin, a.page.Size, a.page.Root, a.page.At); len(s.Promises) != promises {
				return fmt.Errorf("%d promises", len(s.Promises))
			}
			return nil
		}},
		{"its only bytes", func() error {
			if len(a.page.Canonical()) == 0 {
				return errors.New("nothing was written")
			}
			return nil
		}},
		{"as HTML", func() error {
			_, err := paper.print(a.page)
			return err
		}},
	} {
		if err := b.compare(fmt.Sprintf("page of %d promises, %s", promises, step.name), step.call, a.marshal, "`encoding/json` of the same page"); err != nil {
			return err
		}
	}
	return nil
}

// paper is what trustpage prints on: its template and its own style.
type paper struct {
	template *template.Template
	style    template.CSS
}

// sheet is what the template is given.
type sheet struct {
	page.View
	Here, Exact string
	Style       template.CSS
	Icon        template.URL
}

func (b *bench) paper() (paper, error) {
	folder := filepath.Join(b.root, "functions", "trust", "trustpage")
	style, err := os.ReadFile(filepath.Join(folder, "assets", "trust.css"))
	if err != nil {
		return paper{}, err
	}
	t, err := template.ParseFiles(filepath.Join(folder, "page", "trust.html"))
	return paper{t, template.CSS(style)}, err
}

func (p paper) print(s promise.Snapshot) ([]byte, error) {
	c := page.Circumstances{Now: s.At, Checked: s.At, Digest: "sha256:0", Home: "/trustpage/"}
	var out bytes.Buffer
	err := p.template.ExecuteTemplate(&out, "trust.html", sheet{View: page.Build(s, c, "en"), Here: c.Home, Exact: c.Home, Style: p.style})
	return out.Bytes(), err
}
