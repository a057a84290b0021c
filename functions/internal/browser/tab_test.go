package browser

import (
	"bytes"
	"image/png"
	"testing"

	"ostiary.internal/shared/platform/require"
)

// TestQuote: whatever a text holds, JavaScript reads the same text, and a selector with it finds its element.
func TestQuote(t *testing.T) {
	path := Path()
	require.Tool(t, "chromium", path != "")
	b, err := Start(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	tab := b.Tab(t, Narrow)
	tab.Open("about:blank")
	for _, text := range []string{
		"", `"); throw 1; ("`, `'`, "`${1}`", `\`, `\u0022`, `</script>`, "a\nb\r", "\u2028\u2029", "\a\v\x00\x7f", "\U000e0001", "é🙂", "\ufeff",
	} {
		if got := Eval[string](tab, quote(text)); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	const title = "bell \a, tag \U000e0001, \\'"
	Eval[bool](tab, `(document.body.innerHTML = "<p>seen", document.querySelector("p").title = `+quote(title)+`, true)`)
	selector := `[title="bell ` + "\a, tag \U000e0001, " + `\\'"]`
	if !tab.Has(selector) || len(tab.Boxes(selector, true)) != 1 {
		t.Errorf("%q is not found", selector)
	}
	picture, err := png.Decode(bytes.NewReader(tab.Near(selector, 1)))
	if err != nil || picture.Bounds().Empty() {
		t.Errorf("a picture of %q: %v", selector, err)
	}
}
