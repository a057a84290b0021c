package gcs_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/policy/gcs"
)

// entries are what an archive is made of.
type entries []struct {
	header tar.Header
	data   []byte
}

// archive packs entries as they are, and compresses nothing.
func archive(t testing.TB, all entries) []byte {
	t.Helper()
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(compressed)
	for _, e := range all {
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func entriesOf(t testing.TB, data []byte) (all entries) {
	t.Helper()
	whole, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(whole); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, struct {
			header tar.Header
			data   []byte
		}{*h, text})
	}
}

// with is the archive of a whole policy with one entry more.
func with(t testing.TB, h tar.Header, data []byte) ([]byte, string) {
	t.Helper()
	p := load(t, "baseline")
	if h.Typeflag == tar.TypeReg {
		h.Size = int64(len(data))
	}
	return archive(t, append(entriesOf(t, pack(t, p).Data), struct {
		header tar.Header
		data   []byte
	}{h, data})), p.Digest
}

// What no policy holds is refused for what it is, before its digest is.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	for why, h := range map[string]tar.Header{
		"is not a regular file":                {Typeflag: tar.TypeSymlink, Name: "policy/rules/link.yaml", Linkname: "/etc/passwd"},
		"\"policy/rules/\" is not":             {Typeflag: tar.TypeDir, Name: "policy/rules/"},
		"\"policy/pipe\" is not":               {Typeflag: tar.TypeFifo, Name: "policy/pipe"},
		"\"../company.yaml\" is not":           {Typeflag: tar.TypeReg, Name: "../company.yaml"},
		"\"/etc/passwd\" is not":               {Typeflag: tar.TypeReg, Name: "/etc/passwd"},
		"\"policy/../../x\" is not":            {Typeflag: tar.TypeReg, Name: "policy/../../x"},
		"\"policy//x\" is not":                 {Typeflag: tar.TypeReg, Name: "policy//x"},
		"\"alone.yaml\" is not the name":       {Typeflag: tar.TypeReg, Name: "alone.yaml"},
		"\"policy\" is not the name":           {Typeflag: tar.TypeReg, Name: "policy"},
		"\"policy\\\\x\" is not the name":      {Typeflag: tar.TypeReg, Name: "policy\\x"},
		"\".hidden/x\" is not the name":        {Typeflag: tar.TypeReg, Name: ".hidden/x"},
		"is in it twice":                       {Typeflag: tar.TypeReg, Name: "policy/company.yaml"},
		"is a file and a folder":               {Typeflag: tar.TypeReg, Name: "policy/rules"},
		"it holds the policy":                  {Typeflag: tar.TypeReg, Name: "policy/rules/more.yaml"},
		"has the attribute \"SCHILY.xattr.a\"": {Typeflag: tar.TypeReg, Name: "policy/rules/more.yaml", PAXRecords: map[string]string{"SCHILY.xattr.a": "1"}},
	} {
		data, digest := with(t, h, nil)
		if _, _, err := gcs.Unpack(data, digest); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s %c: %v", h.Name, h.Typeflag, err)
		}
	}
	third := append(entriesOf(t, archive(t, nil)), entries{
		{tar.Header{Typeflag: tar.TypeReg, Name: "policy/a"}, nil}, {tar.Header{Typeflag: tar.TypeReg, Name: "one/a"}, nil}, {tar.Header{Typeflag: tar.TypeReg, Name: "two/a"}, nil},
	}...)
	for what, all := range map[string]entries{"three folders": third, "no policy": third[1:2], "nothing": nil} {
		if _, _, err := gcs.Unpack(archive(t, all), strings.Repeat("0", 64)); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A small archive cannot become a large policy: not by compression, not by many files, not by holes.
func TestBombs(t *testing.T) {
	t.Parallel()
	var many entries
	for i := range 4501 {
		many = append(many, struct {
			header tar.Header
			data   []byte
		}{tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("policy/rules/%d.yaml", i)}, nil})
	}
	zeros, _ := with(t, tar.Header{Typeflag: tar.TypeReg, Name: "policy/rules/zeros.yaml"}, make([]byte, 21<<20))
	var tight bytes.Buffer
	w := gzip.NewWriter(&tight)
	whole, err := gzip.NewReader(bytes.NewReader(zeros))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, whole); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		data []byte
		why  string
	}{
		"a bomb of " + fmt.Sprint(tight.Len()) + " bytes": {tight.Bytes(), "MiB unpacked"},
		"4501 files":           {archive(t, many), "more than 4500 files"},
		"a file made of holes": {sparse(t), "has the attribute"},
		"zeros behind the end": {trailing(t), "MiB unpacked"},
	} {
		if _, _, err := gcs.Unpack(c.data, strings.Repeat("0", 64)); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// sparse is an archive whose one file is a gigabyte of nothing (GNU tar, pax format 1.0: the map of its data lies before them).
// Go writes no such thing.
func sparse(t *testing.T) []byte {
	t.Helper()
	var records strings.Builder
	for _, r := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=policy/hole", "GNU.sparse.realsize=1073741824"} {
		fmt.Fprintf(&records, "%d %s\n", len(r)+4, r) // two digits, a space, a line end
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	for _, part := range [][]byte{block("records", 'x', records.Len()), padded(records.String()), block("policy/hole", '0', 512), padded("1\n1073741824\n0\n"), make([]byte, 1024)} {
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func padded(text string) []byte { return append([]byte(text), make([]byte, 512-len(text)%512)...) }

// block is the header of an entry (POSIX.1-1988, ustar).
func block(name string, kind byte, size int) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:], fmt.Sprintf("%011o\x0000000000000\x00        %c", size, kind))
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// trailing is a whole archive with 30 MiB of zeros between its end and gzip's.
func trailing(t *testing.T) []byte {
	t.Helper()
	return regzip(t, pack(t, load(t, "baseline")).Data, func(b []byte) []byte { return append(b, make([]byte, 30<<20)...) })
}

// regzip changes what an archive holds in gzip.
func regzip(t *testing.T, data []byte, change func([]byte) []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(change(plain)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What is unpacked behaves as a file system does.
func TestUnpackedIsAFileSystem(t *testing.T) {
	t.Parallel()
	p := load(t, "sharedcontacts")
	fsys, dir, err := gcs.Unpack(pack(t, p).Data, p.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, dir+"/company.yaml", dir+"/people.yaml"); err != nil {
		t.Error(err)
	}
}

// FuzzUnpack: nothing that lies in a bucket makes a function panic, and what is let through is the policy of its digest.
func FuzzUnpack(f *testing.F) {
	// A policy of one file: what is searched is the archive, not YAML.
	p, _, err := policy.Load(fstest.MapFS{"acme/company.yaml": {Data: []byte("company: {}\n")}}, "acme")
	if err != nil {
		f.Fatal(err)
	}
	a := pack(f, p)
	f.Add(a.Data)
	f.Add(a.Data[:len(a.Data)/2])
	f.Add(archive(f, entriesOf(f, a.Data)))
	f.Add(archive(f, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys, dir, err := gcs.Unpack(data, a.Digest)
		if err != nil {
			if !fault.Is(err, fault.Misconfigured) {
				t.Fatalf("an error without its kind: %v", err)
			}
			return
		}
		if p, _, err := policy.Load(fsys, dir); err != nil || p.Digest != a.Digest {
			t.Fatalf("another policy came through: %v", err)
		}
	})
}
