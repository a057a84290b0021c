package folder_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record"
	inbox "ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

const origin = "log.example/evidence"

func sequencer(dir string) (*log.Sequencer, sign.Signer, error) {
	key, err := file.New(filepath.Join(dir, "key"), origin)
	if err != nil {
		return nil, nil, err
	}
	s, err := log.New(log.Config{
		Inbox: folder.New(filepath.Join(dir, "inbox")), Tiles: folder.New(filepath.Join(dir, "tiles")), Head: folder.New(filepath.Join(dir, "head")),
		Origin: origin, Signers: []sign.Signer{key}, Writers: recordtest.Writers(), Clock: clock.System{},
	})
	return s, key, err
}

// TestKilledSequencers kills two processes that sequence one inbox, three times; every record is in the log once.
func TestKilledSequencers(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("FOLDER_TEST_LOG"); dir != "" {
		for {
			s, _, err := sequencer(dir)
			if err == nil {
				_, err = s.Run(context.Background())
			}
			if err != nil && !fault.Is(err, fault.Transient) {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	dir := t.TempDir()
	in := inbox.New(filepath.Join(dir, "inbox", recordtest.Place))
	handedIn := map[string]bool{}
	put := func(n int) {
		for range n {
			r := record.New(record.Observation, "backup-freshness", fmt.Sprint("event ", len(handedIn)), "B109")
			r.Source.Collected = clock.System{}.Now()
			data, err := r.Canonical()
			if err == nil {
				err = in.Create(t.Context(), r.ID(), data)
			}
			if err != nil {
				t.Fatal(err)
			}
			handedIn[r.ID()] = true
		}
	}
	put(40)
	for range 3 {
		var errs []*strings.Builder
		var all []*exec.Cmd
		for range 2 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledSequencers$")
			cmd.Env = append(os.Environ(), "FOLDER_TEST_LOG="+dir)
			out := &strings.Builder{}
			cmd.Stderr = out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all, errs = append(all, cmd), append(errs, out)
		}
		// Some come while they work; who hands in without end may be quicker than they are on a busy machine.
		var left []string
		var err error
		for fed, deadline := 0, time.Now().Add(time.Minute); ; fed++ {
			if left, err = in.List(t.Context()); err != nil || len(left) < 20 || time.Now().After(deadline) {
				break
			}
			if fed < 40 {
				put(1)
			} else {
				time.Sleep(10 * time.Millisecond)
			}
		}
		for i, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
			if errs[i].Len() > 0 {
				t.Fatal(errs[i])
			}
		}
		if err != nil || len(left) >= 20 {
			t.Fatalf("%d left, %v", len(left), err)
		}
		put(40)
	}
	s, key, err := sequencer(dir)
	if err == nil {
		_, err = s.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := key.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trust := sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier}}}
	reader := log.NewReader(folder.New(filepath.Join(dir, "tiles")), log.Head(folder.New(filepath.Join(dir, "head"))), trust)
	c, err := reader.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = reader.Entries(t.Context(), 0, c.Size, func(_ int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		if err == nil && r.Kind == record.Observation && !handedIn[r.ID()] {
			err = fmt.Errorf("%s is there twice, or nobody's", r.ID())
		}
		delete(handedIn, r.ID())
		return err
	})
	if err != nil || len(handedIn) > 0 {
		t.Errorf("%d are lost, %v", len(handedIn), err)
	}
}
