package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// terminal is where a command talks: answers to out, everything else to err.
type terminal struct {
	out, err io.Writer
	flags    *flag.FlagSet
}

// parse reads a command's flags and returns the exit code that ends it, or -1 to go on. A negative number of wanted
// arguments is any.
func (t terminal) parse(args []string, wanted int) int {
	switch err := t.flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitGood
	case err != nil:
		return exitUsage
	case wanted >= 0 && t.flags.NArg() != wanted:
		t.flags.Usage()
		return exitUsage
	}
	return -1
}

// words reads flags that may stand behind the words of a command as well as before them. A negative number of wanted words is any.
func (t terminal) words(args []string, wanted int) (all []string, code int) {
	for {
		if code = t.parse(args, -1); code >= 0 {
			return nil, code
		}
		if t.flags.NArg() == 0 {
			break
		}
		all, args = append(all, t.flags.Arg(0)), t.flags.Args()[1:]
	}
	if wanted >= 0 && len(all) != wanted {
		t.flags.Usage()
		return nil, exitUsage
	}
	return all, -1
}

// parseOne is words of a command that takes one.
func (t terminal) parseOne(args []string) (word string, code int) {
	all, code := t.words(args, 1)
	if code >= 0 {
		return "", code
	}
	return all[0], -1
}

// explain adds to the help of a command what its exit codes mean.
func (t terminal) explain(exits string) {
	usage := t.flags.Usage
	t.flags.Usage = func() {
		usage()
		fmt.Fprintln(t.flags.Output(), exits)
	}
}

// usage says how a command was called wrongly.
func (t terminal) usage(format string, args ...any) int {
	fmt.Fprintf(t.err, "ostiary %s: %s\n", t.flags.Name(), fmt.Sprintf(format, args...))
	return exitUsage
}

// fail says what went wrong and what to do next.
func (t terminal) fail(err error) int {
	fmt.Fprintf(t.err, "ostiary %s: %v\n", t.flags.Name(), err)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		if e.Detail != "" {
			fmt.Fprintln(t.err, e.Detail)
		}
		if e.Next != "" {
			fmt.Fprintln(t.err, e.Next)
		}
	}
	return exitWrong
}

func instant(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--%s: %q is not a time such as 2026-03-03T08:55:00Z", name, text)
	}
	return at, nil
}

// printJSON prints an answer for programs, indented so that people may read it too.
func printJSON(w io.Writer, answer any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(answer)
}
