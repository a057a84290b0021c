package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// planted is something about a person, or known to one person alone, that must show nowhere in public.
type planted struct {
	what string // such as "e-mail address"
	text string
	code bool // a short run of digits: by itself it counts only where no letter or digit stands beside it
}

// needle is one way in which a planted text could show.
type needle struct {
	form    string
	text    string
	fold    bool // found in any case of its ASCII letters
	symbols int  // of the alphabet it is encoded in, which hashes and keys are written in too; 0 where they are not
}

// chance is how often random text of a length would hold the needle, where that is written in the same symbols.
func (n needle) chance(length int) float64 {
	if n.symbols == 0 {
		return 0
	}
	return float64(length) * math.Pow(float64(n.symbols), -float64(len(n.text)))
}

// leastChance is how often a needle may be found where nobody put it: a log holds many hashes, and six digits in base64 are
// among them now and then.
const leastChance = 1e-9

// needles are the ways to write a text that hide it from nobody. A digest without salt hides nothing of which there are
// few: whoever knows the people of a company finds each by trying.
func (p planted) needles() []needle {
	var all []needle
	for _, text := range []string{p.text, strings.ToUpper(p.text), strings.ToLower(p.text), norm.NFD.String(p.text)} {
		all = append(all, needle{"plain", text, !p.code, 0}, needle{"HTML", html.EscapeString(text), !p.code, 0}, needle{"JSON", strings.Trim(strconv.QuoteToASCII(text), `"`), !p.code, 0},
			needle{"query", url.QueryEscape(text), !p.code, 0}, needle{"path", url.PathEscape(text), !p.code, 0})
	}
	for name, text := range map[string]string{"": p.text, " of lower case": strings.ToLower(p.text), " of upper case": strings.ToUpper(p.text)} {
		sum := sha256.Sum256([]byte(text))
		all = append(all, needle{"hex" + name, hex.EncodeToString([]byte(text)), true, 16}, needle{"sha256" + name, hex.EncodeToString(sum[:]), true, 16},
			needle{"sha256 bytes" + name, string(sum[:]), false, 256}, needle{"sha256 base32" + name, strings.TrimRight(base32.StdEncoding.EncodeToString(sum[:]), "="), true, 32})
		for _, piece := range []string{text, string(sum[:])} {
			for _, encoded := range insideBase64(piece) {
				all = append(all, needle{"base64" + name, encoded, false, 64})
			}
		}
	}
	return all
}

// insideBase64 is what of a text's base64 does not depend on what stands around it: in three positions and two alphabets.
func insideBase64(text string) []string {
	var all []string
	for shift, cut := range []int{0, 2, 3} {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...))[cut:]
		if (shift+len(text))%3 != 0 {
			encoded = encoded[:len(encoded)-1]
		}
		all = append(all, encoded, strings.NewReplacer("+", "-", "/", "_").Replace(encoded))
	}
	return all
}

// haystack is everything that is searched, in pieces with names.
type haystack struct {
	names  []string
	starts []int // where each piece begins in text
	text   bytes.Buffer
	have   map[[sha256.Size]byte]bool
}

// add puts a piece in; what was put in before under another name is not searched twice.
func (h *haystack) add(name string, data []byte) {
	if sum := sha256.Sum256(data); h.have[sum] {
		return
	} else if h.have == nil {
		h.have = map[[sha256.Size]byte]bool{sum: true}
	} else {
		h.have[sum] = true
	}
	h.names, h.starts = append(h.names, name), append(h.starts, h.text.Len())
	h.text.WriteString(name + "\n")
	h.text.Write(data)
	h.text.WriteString("\x00\n")
}

// addFolder puts in all files of a folder, and their names.
func (h *haystack) addFolder(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			name, _ := filepath.Rel(dir, path)
			h.add(filepath.Base(dir)+"/"+name, data)
		}
		return err
	})
}

// wanted is a needle that is looked for.
type wanted struct {
	needle
	of    string // the planted text
	word  []byte
	alone bool
	at    int // where it shows first; -1: nowhere
}

// beginning is how much of a word decides whether the rest of it is compared. No needle is shorter.
const beginning = 4

// find returns, by planted text, where it shows and how. What is so short that it would show by chance is not looked for.
func (h *haystack) find(all []planted) map[string][]string {
	text := h.text.Bytes()
	var words, exact, folded []*wanted
	for _, p := range all {
		for _, n := range p.needles() {
			if n.chance(len(text)) >= leastChance {
				continue
			}
			w := &wanted{needle: n, of: p.text, word: []byte(n.text), alone: p.code && n.text == p.text, at: -1}
			words = append(words, w)
			if n.fold {
				w.word, folded = lower(w.word), append(folded, w)
			} else {
				exact = append(exact, w)
			}
		}
	}
	search(text, exact)
	search(lower(text), folded)
	found := map[string][]string{}
	for _, w := range words {
		if w.at >= 0 {
			shown := text[max(0, w.at-60):min(len(text), w.at+len(w.word)+20)]
			found[w.of] = append(found[w.of], fmt.Sprintf("%s as %s: %q", h.pieceAt(w.at), w.form, shown))
		}
	}
	return found
}

// search looks for all words in one pass over the text.
func search(text []byte, words []*wanted) {
	begun := map[[beginning]byte][]*wanted{}
	for _, w := range words {
		begun[[beginning]byte(w.word)] = append(begun[[beginning]byte(w.word)], w)
	}
	for i := 0; i+beginning <= len(text); i++ {
		for _, w := range begun[[beginning]byte(text[i:])] {
			if w.at < 0 && bytes.HasPrefix(text[i:], w.word) && (!w.alone || !alnum(text, i-1) && !alnum(text, i+len(w.word))) {
				w.at = i
			}
		}
	}
}

// lower is text with its ASCII letters in lower case: no byte moves, whatever else is in it.
func lower(text []byte) []byte {
	folded := bytes.Clone(text)
	for i, b := range folded {
		if b >= 'A' && b <= 'Z' {
			folded[i] = b + 'a' - 'A'
		}
	}
	return folded
}

func alnum(text []byte, i int) bool {
	return i >= 0 && i < len(text) && strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", rune(text[i]))
}

func (h *haystack) pieceAt(i int) string {
	return h.names[sort.SearchInts(h.starts, i+1)-1]
}

// TestScanByChance: in as much text as a company's days leave, six digits are not found in base64 or hexadecimal digits,
// where they stand by chance, and are found as they are; a longer text is found in each.
func TestScanByChance(t *testing.T) {
	t.Parallel()
	code, email := planted{"code", "402117", true}, planted{"e-mail address", "zofia@sharedcontacts.example", false}
	encoded := func(p planted) string {
		return " " + base64.StdEncoding.EncodeToString([]byte(p.text)) + " " + hex.EncodeToString([]byte(p.text)) + " "
	}
	h := haystack{}
	h.add("the days", append(bytes.Repeat([]byte("."), 1<<20), encoded(code)+encoded(email)...))
	if found := h.find([]planted{code, email}); len(found[code.text]) != 0 || len(found[email.text]) < 2 {
		t.Errorf("found are %v", found)
	}
	h.add("more", []byte(" "+code.text+" "))
	if found := h.find([]planted{code}); len(found[code.text]) == 0 {
		t.Error("the code as it is was not found")
	}
	small := haystack{}
	small.add("a line", []byte(encoded(code)))
	if found := small.find([]planted{code}); len(found[code.text]) < 2 {
		t.Errorf("where chance puts nothing, found are %v", found)
	}
	for n, want := range map[needle]bool{{"", "MTIzNDU2", false, 64}: true, {"", "313233343536", true, 16}: true, {"", "Wk9XSi03NzMx", false, 64}: false, {"", "plain", true, 0}: false} {
		if got := n.chance(50<<20) >= leastChance; got != want {
			t.Errorf("%q in %d symbols by chance: %v", n.text, n.symbols, got)
		}
	}
}
