package verify_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/require"
)

// damaged is the golden bundle with something done to it, in a folder of its own.
type damaged struct {
	what, dir, trust, since string
	strict                  bool
}

// damage does a few things at random to a bundle and what it is read with.
func damage(t testing.TB, random *rand.Rand, bundle, held files) damaged {
	t.Helper()
	bundle = bundle.clone()
	d := damaged{dir: t.TempDir(), trust: vectors + "/trust.json", strict: random.IntN(3) == 0}
	notes := slices.DeleteFunc(slices.Sorted(maps.Keys(held)), func(name string) bool { return !strings.HasSuffix(name, ".checkpoint") })
	if random.IntN(8) == 0 {
		d.since = vectors + "/edits/" + notes[random.IntN(len(notes))]
	}
	if random.IntN(8) == 0 {
		trust := files{"trust": bundle["trust.json"]}
		d.what = "the trust file: " + spoil(random, trust, "trust")
		d.trust = filepath.Join(t.TempDir(), "trust.json")
		check(t, os.WriteFile(d.trust, trust["trust"], 0o600))
	}
	var links []string
	for range 1 + random.IntN(2) {
		names := slices.Sorted(maps.Keys(bundle))
		name, other := names[random.IntN(len(names))], names[random.IntN(len(names))]
		switch random.IntN(10) {
		case 0:
			bundle[name], bundle[other] = bundle[other], bundle[name]
			d.what += fmt.Sprintf("; %s and %s changed places", name, other)
		case 1:
			delete(bundle, name)
			d.what += "; without " + name
		case 2:
			links = append(links, name)
			d.what += "; a link or folder for " + name
		case 3:
			note := notes[random.IntN(len(notes))]
			name = []string{"checkpoint", "checkpoints/7"}[random.IntN(2)]
			bundle[name] = held[note]
			d.what += fmt.Sprintf("; %s for %s", note, name)
		default:
			d.what += "; " + spoil(random, bundle, name)
		}
	}
	for name, data := range bundle {
		path := filepath.Join(d.dir, filepath.FromSlash(name))
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, data, 0o600))
	}
	for _, name := range links {
		path := filepath.Join(d.dir, filepath.FromSlash(name))
		if random.IntN(3) == 0 {
			path = filepath.Join(d.dir, strings.Split(name, "/")[0]) // the folder it is in
		}
		target, err := filepath.Abs(filepath.Join(vectors, "bundle", strings.TrimPrefix(path, d.dir)))
		check(t, err)
		check(t, os.RemoveAll(path))
		if random.IntN(2) == 0 {
			check(t, os.MkdirAll(path, 0o700))
		} else if err := os.Symlink(target, path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return d
}

// spoil changes one file: a bit, a letter, the end, a piece left out, said twice or put in.
func spoil(random *rand.Rand, f files, name string) string {
	data := slices.Clone(f[name])
	if len(data) == 0 {
		return name + " is empty"
	}
	at := random.IntN(len(data))
	end := min(len(data), at+1+random.IntN(40))
	switch random.IntN(6) {
	case 0:
		data[at] ^= 1 << random.IntN(8)
	case 1:
		const letters = "0123456789abcdefABCDEF\n\r \t+/=-—\x00\xff\"{}[],:"
		data[at] = letters[random.IntN(len(letters))]
	case 2:
		data = data[:at]
	case 3:
		data = slices.Concat(data[:at], data[end:])
	case 4:
		data = slices.Concat(data[:end], data[at:])
	case 5:
		data = slices.Insert(data, at, byte(random.IntN(256)))
	}
	f[name] = data
	return fmt.Sprintf("%s spoiled at %d", name, at)
}

// byGoAlone verifies without computing the page again, as the second verifier does.
func byGoAlone(t testing.TB, d damaged) verify.Report {
	t.Helper()
	data, err := os.ReadFile(d.trust)
	check(t, err)
	o := verify.Options{Strict: d.strict}
	if o.Trust, err = sign.ReadTrust(data); err != nil {
		return verify.UnreadableTrust(d.trust, err)
	}
	if d.since != "" {
		o.Since, err = os.ReadFile(d.since)
		check(t, err)
	}
	root, err := os.OpenRoot(d.dir)
	check(t, err)
	defer root.Close()
	return run(t, verify.FS(root.FS()), o)
}

func load(t testing.TB, dir string) files {
	t.Helper()
	f := files{}
	check(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		f[filepath.ToSlash(name)] = data
		return err
	}))
	return f
}

// Whatever happens to a bundle on its way, two verifiers that share no code say the same of it.
func TestVerifiersAgreeOnDamage(t *testing.T) {
	t.Parallel()
	node := second(t)
	if node == nil {
		return
	}
	bundle, held := load(t, vectors+"/bundle"), load(t, vectors+"/edits")
	exits := map[int]int{}
	for seed := range require.Seeds(25) * 2 {
		d := damage(t, rand.New(rand.NewPCG(uint64(seed), 7)), bundle, held)
		args := []string{d.dir, "--trust", d.trust}
		if d.since != "" {
			args = append(args, "--since", d.since)
		}
		if d.strict {
			args = append(args, "--strict")
		}
		type verdict struct {
			exit int
			said string
			err  error
		}
		theirs := make(chan verdict, 1)
		go func() {
			exit, said, err := node.run(args...)
			theirs <- verdict{exit, said, err}
		}()
		ours := byGoAlone(t, d)
		v := <-theirs
		check(t, v.err)
		exits[ours.Exit]++
		if v.exit != ours.Exit {
			t.Errorf("seed %d%s, strict %t, since %q: exit %d, by the other %d\n%v\n%s", seed, d.what, d.strict, d.since, ours.Exit, v.exit, ours.Failures, v.said)
		}
		check(t, os.RemoveAll(d.dir))
	}
	t.Logf("how often each exit code came: %v", exits)
	for _, o := range []verify.Outcome{verify.Good, verify.Tampered, verify.Incomplete, verify.Untrusted, verify.Malformed, verify.PageDiffers} {
		if exits[o.Exit()] == 0 {
			t.Errorf("nothing was found %s: the damage is one-sided", o)
		}
	}
}
