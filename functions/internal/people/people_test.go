package people_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/built"
	"ostiary.internal/functions/internal/lived"
	"ostiary.internal/functions/internal/people"
	"ostiary.internal/shared/platform/require"
)

const root = "../../.."

// TestDays: the five people come through their days; each page they pass holds on a phone of 390 and of 320 px; and the page that
// tells what it takes says the same as was counted.
func TestDays(t *testing.T) {
	require.Tool(t, "chromium", browser.Path() != "")
	binary, err := built.Command(root)
	if err != nil {
		t.Fatal(err)
	}
	chromium, err := browser.Start(browser.Path())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chromium.Close)
	fortnight, end, err := lived.Start(binary, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	legs := people.Company{T: t, Browser: chromium, Binary: binary, Root: root, Lived: fortnight, Eye: func(tab *browser.Tab) { look(t, tab) }}.Days()

	told := rows(t)
	if len(told) != len(legs) {
		t.Errorf("%s tells of %d stretches, and there are %d: run make pictures", people.Page, len(told), len(legs))
	}
	for i, l := range legs {
		counted := []string{l.Who, l.What, fmt.Sprint(l.Taps), fmt.Sprint(l.Swipes), fmt.Sprint(l.Keys), fmt.Sprint(l.Pages)}
		t.Log(counted, l.Machine, l.Words)
		if i < len(told) && !slices.Equal(told[i][:len(counted)], counted) {
			t.Errorf("%s says %q, counted was %q: run make pictures", people.Page, told[i], counted)
		}
		if l.What == "A normal morning" && (l.Taps > 3 || l.Keys > 6 || l.Swipes > 0) {
			t.Errorf("a normal morning takes %d taps, %d swipes and %d keys", l.Taps, l.Swipes, l.Keys)
		}
	}
}

// look looks at a page as it stands in two windows.
func look(t *testing.T, tab *browser.Tab) {
	t.Helper()
	lang := browser.Eval[string](tab, "document.documentElement.lang")
	for _, size := range []browser.Size{browser.Narrow, people.Size} {
		tab.Resize(size)
		for _, fault := range tab.Faults(lang, size == people.Size) {
			t.Errorf("%s, %d px: %s", browser.Eval[string](tab, "location.pathname"), size.Width, fault)
		}
	}
}

// rows are the rows of the table, cell by cell.
func rows(t *testing.T) (told [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, people.Page))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|"); len(cells) == 10 && !strings.HasPrefix(cells[0], "-") {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			told = append(told, cells)
		}
	}
	return told[min(1, len(told)):] // below the names of the columns
}
