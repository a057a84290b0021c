// Command pictures goes through the days of the five people with a camera: it starts the server with the sample company, goes
// through the pages as people do, writes the screenshots the README shows, and what each stretch took into docs/people.md. It
// needs Chromium, and runs at the top of the repository.
package main

import (
	"fmt"
	"os"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/built"
	"ostiary.internal/functions/internal/lived"
	"ostiary.internal/functions/internal/people"
	"ostiary.internal/functions/internal/walk"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run() error {
	path := browser.Path()
	if path == "" {
		return fmt.Errorf("there is no Chromium on this machine: install it, and run this again")
	}
	b, err := browser.Start(path)
	if err != nil {
		return err
	}
	defer b.Close()
	binary, err := built.Command(".")
	if err != nil {
		return err
	}
	server, err := walk.Start(binary, ".")
	if err != nil {
		return err
	}
	defer server.Close()
	fortnight, end, err := lived.Start(binary, ".")
	if err != nil {
		return err
	}
	defer end()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	a := album{browser: b, server: server, lived: fortnight, closing: &[]func(){}}
	return a.take(func() {
		legs := people.Company{T: a, Browser: b, Binary: binary, Root: ".", Lived: fortnight, Camera: a.keep}.Days()
		if err := people.Tell(".", legs); err != nil {
			a.Fatalf("%v", err)
		}
		a.others()
	})
}

// album takes the pictures. As the walk's T it turns a step that does not work into an error.
type album struct {
	browser *browser.Browser
	server  *walk.Server // whose clock stands at a morning
	lived   *walk.Server // on which a fortnight was played
	closing *[]func()
}

type failure struct{ error }

func (album) Helper() {}

// Fatalf ends take with an error.
func (album) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// Cleanup keeps fn for the end of take.
func (a album) Cleanup(fn func()) { *a.closing = append(*a.closing, fn) }

func (a album) take(walks func()) (err error) {
	defer func() {
		for _, fn := range *a.closing {
			fn()
		}
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p.error
		default:
			panic(p)
		}
	}()
	walks()
	return nil
}
