// Package walktest is the stage of tests that walk through pages: one browser and one build of the command for all tests of a
// process, a server for each that wants one, and people in front of it. It is linked into no function.
package walktest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/built"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/shared/platform/require"
)

// Root is the top of the repository as the tests of a package in functions/internal see it.
const Root = "../../.."

// Stage is what all tests of a process share. The zero value is ready for Run.
type Stage struct {
	chromium *browser.Browser
	binary   string
	common   *walk.Server
}

// Play is what a stage needs beside the browser.
type Play string

// The plays.
const (
	Alone    Play = "alone"    // nothing: the tests serve their pages themselves
	Servers  Play = "servers"  // a build of the command, of which each test starts its own
	Together Play = "together" // that, and one server for all
)

// Run runs the tests of a package and returns the code to exit with. Without Chromium nothing is started, and the tests that
// ask for it say so.
func (s *Stage) Run(m *testing.M, play Play) int {
	// One page at a time: several pages of one browser wait for each other's frames on a small machine.
	flag.Parse()
	err := flag.Set("test.parallel", "1")
	path := browser.Path()
	if err == nil && path == "" {
		return m.Run()
	}
	defer s.end()
	if err == nil && play != Alone {
		s.binary, err = built.Command(Root)
	}
	if err == nil && play == Together {
		s.common, err = walk.Start(s.binary, Root)
	}
	if err == nil {
		s.chromium, err = browser.Start(path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func (s *Stage) end() {
	if s.chromium != nil {
		s.chromium.Close()
	}
	if s.common != nil {
		s.common.Close()
	}
}

// Tab opens a tab that is closed with the test.
func (s *Stage) Tab(t *testing.T, size browser.Size) *browser.Tab {
	t.Helper()
	require.Tool(t, "chromium", s.chromium != nil)
	return s.chromium.Tab(t, size)
}

// Serve starts a server for one test.
func (s *Stage) Serve(t *testing.T) *Server { return s.ServeFrom(t, Root) }

// ServeFrom starts one with the policies of another folder than the repository's, and further variables.
func (s *Stage) ServeFrom(t *testing.T, top string, env ...string) *Server {
	t.Helper()
	require.Tool(t, "chromium", s.chromium != nil)
	server, err := walk.Start(s.binary, top, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return &Server{Server: server, T: t, stage: s}
}

// Common is the server of all tests.
func (s *Stage) Common(t *testing.T) *Server {
	t.Helper()
	require.Tool(t, "chromium", s.chromium != nil)
	return &Server{Server: s.common, T: t, stage: s}
}

// Axe is the script of axe-core.
func Axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(Root, "testdata", "axe", "node_modules", "axe-core", "axe.min.js"))
	require.Tool(t, "axe-core (npm ci in testdata/axe)", err == nil)
	return string(script)
}
