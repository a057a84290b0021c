// Package browser drives our pages in a real Chromium, for tests and for the pictures in the README. It promises
// that a tab starts without cookies or history of another, that what the page asked for and complained about can be
// read afterwards, and that every wait ends. It is linked into no function.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
)

// Path returns the Chromium of this machine, or "" when there is none: rather the one that has no windows, which does the same
// pages with a third of the work.
func Path() string {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Browser is one running Chromium. Its tabs may be used side by side. Close it.
type Browser struct {
	ctx    context.Context
	folder string
	cancel context.CancelFunc
}

// quiet are the flags under which Chromium calls nobody but the page's own server.
var quiet = []string{"disable-background-networking", "disable-component-update", "disable-sync", "disable-quic", "no-pings", "disable-domain-reliability", "disable-gpu"}

// Start starts the Chromium at path, headless, in a profile of its own.
func Start(path string) (*Browser, error) {
	folder, err := os.MkdirTemp("", "browser")
	if err != nil {
		return nil, fmt.Errorf("making a profile: %w", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(folder))
	for _, name := range quiet {
		options = append(options, chromedp.Flag(name, true))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with it
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &Browser{ctx: ctx, folder: folder, cancel: func() { cancel(); cancelAllocator() }}
	if err := chromedp.Do(ctx); err != nil {
		b.Close()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return b, nil
}

// Close ends the browser and removes its profile.
func (b *Browser) Close() {
	ending, cancel := context.WithTimeout(b.ctx, patience)
	_ = chromedp.Cancel(ending) // what does not end by itself is killed below
	cancel()
	b.cancel()
	_ = os.RemoveAll(b.folder)
}

// patience is how long one step may take. A step takes milliseconds; a machine with too much to do takes longer.
const patience = 90 * time.Second
