package local_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/require"
)

// childVariable makes the test binary a process that publishes and delivers until it is killed.
const childVariable = "OSTIARY_TEST_BUS_CHILD"

func TestMain(m *testing.M) {
	if run := os.Getenv(childVariable); run != "" {
		child(run, os.Args[len(os.Args)-1])
		return
	}
	os.Exit(m.Run())
}

// TestKilled kills a process that publishes and delivers, again and again: whatever Publish said was accepted is
// handled in the end.
func TestKilled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	accepted := map[string]bool{}
	for run := range require.Seeds(3) {
		command := exec.Command(os.Args[0], folder)
		command.Env = append(os.Environ(), fmt.Sprint(childVariable, "=", run+1))
		command.Stderr = os.Stderr
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		lines, life := bufio.NewScanner(out), 20+rand.IntN(100)
		for i := 0; i < life && lines.Scan(); i++ {
			accepted[lines.Text()] = true
		}
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it still said before it died
			accepted[lines.Text()] = true
		}
		command.Wait()
	}

	b := open(t, filepath.Join(folder, "bus.db"))
	subscribe(t, b, "consumer", "")
	deliver(t, b, local.Target{Handler: func(string) http.Handler { return consumer(t.Output(), folder, 0) }})
	idle(t, b)
	handled, err := os.ReadFile(filepath.Join(folder, "handled"))
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for key := range accepted {
		if !strings.Contains(string(handled), key+"\n") {
			lost++
		}
	}
	if letters, err := b.DeadLetters(); lost > 0 || len(letters) > 0 || err != nil || len(accepted) < 60 {
		t.Errorf("of %d accepted messages %d were never handled; %d dead letters, %v", len(accepted), lost, len(letters), err)
	}
}

// child publishes keys and prints each when Publish returned; a third of its deliveries are refused.
func child(run, folder string) {
	b, err := local.Open(filepath.Join(folder, "bus.db"), nil)
	if err == nil {
		err = b.Subscribe("consumer", topic, "")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	h := consumer(os.Stderr, folder, 3)
	go b.Deliver(context.Background(), local.Target{Handler: func(string) http.Handler { return h }, Log: slog.New(slog.DiscardHandler)})
	for i := 0; ; i++ {
		key := fmt.Sprintf("<%s/%d>", run, i)
		if err := b.Publish(context.Background(), topic, bus.Message{Data: []byte(`{}`), Attributes: map[string]string{bus.AttributeID: key}}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(key)
	}
}

// consumer notes each event's id in the folder's file before it acknowledges; refuse is one in how many it refuses.
func consumer(faults io.Writer, folder string, refuse int) http.Handler {
	log := slog.New(slog.NewTextHandler(faults, &slog.HandlerOptions{Level: slog.LevelError}))
	handle := func(_ context.Context, e event.Event) error {
		if refuse > 0 && rand.IntN(refuse) == 0 {
			return fmt.Errorf("refused at random")
		}
		f, err := os.OpenFile(filepath.Join(folder, "handled"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString(e.ID + "\n")
		return err
	}
	reject := func(_ context.Context, _ []byte, why error) error { return why }
	return event.Handler(event.Accepts{Topics: []string{topic}}, handle, reject, log)
}
