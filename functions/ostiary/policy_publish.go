package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/policy"
	archives "ostiary.internal/shared/policy/gcs"
)

const (
	policyArgs = `publish [--policy DIR] --to gs://BUCKET|DIR [--json]
       ostiary policy digest [--policy DIR]`
	policyExits = `
publish packs the folder with what it extends, and puts it where nothing is: DIR/policy/SHA256.tar.gz, or the same in a bucket. What
is published stays as it is; a change is another archive. It prints the URL that Terraform's variable "policy" takes.
digest prints what records call the policy: SHA-256 over the names and contents of its files. An archive that was unpacked has the
digest of its name.

exit codes: 0 published, also when it was already; 1 the folder has problems, or cannot be published; 64 usage`
)

// patience bounds the publishing of an archive, over a slow line too.
const patience = 5 * time.Minute

// policyCommand publishes a policy, or names it as records do.
func policyCommand(ctx context.Context, t terminal, args []string) int {
	all := map[string]func(context.Context, terminal, []string) int{"publish": publishPolicy, "digest": policyDigest}
	t.explain(policyExits)
	if len(args) == 0 || all[args[0]] == nil {
		if code := t.parse(args, 0); code >= 0 {
			return code
		}
		t.flags.Usage()
		return exitUsage
	}
	return all[args[0]](ctx, t, args[1:])
}

// publication is what was published, as --json prints it.
type publication struct {
	URL     string `json:"url"` // "" where the archive lies in a folder of this machine
	File    string `json:"file,omitempty"`
	Digest  string `json:"digest"`
	Files   int    `json:"files"`
	Bytes   int    `json:"bytes"`
	Already bool   `json:"already"`
}

func publishPolicy(ctx context.Context, t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	to := t.flags.String("to", "", "bucket, gs://BUCKET, or a folder of this machine")
	asJSON := t.flags.Bool("json", false, "print one JSON object")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if *to == "" {
		return t.usage("--to: name a bucket, gs://BUCKET, or a folder")
	}
	p, code := t.inOrder(*folder)
	if code >= 0 {
		return code
	}
	a, err := archives.Pack(p)
	if err != nil {
		return t.fail(err)
	}
	done := publication{Digest: "sha256:" + a.Digest, Files: a.Files, Bytes: len(a.Data)}
	if bucket, cloud := strings.CutPrefix(*to, "gs://"); cloud {
		done.URL, done.Already, err = publishTo(ctx, strings.TrimSuffix(bucket, "/"), a)
	} else {
		done.File, done.Already, err = keepIn(*to, a)
	}
	if err != nil {
		return t.fail(err)
	}
	if *asJSON {
		if err := printJSON(t.out, done); err != nil {
			return t.fail(err)
		}
		return exitGood
	}
	how := "published"
	if done.Already {
		how = "was published already"
	}
	fmt.Fprintf(t.err, "%s %s: %d files, %d bytes\n", done.Digest, how, done.Files, done.Bytes)
	fmt.Fprintln(t.out, done.URL+done.File)
	return exitGood
}

// inOrder loads a policy folder, and lists its problems where it has any: nothing refers to nothing in what is published.
func (t terminal) inOrder(folder string) (*policy.Policy, int) {
	problems, _, err := problemsOf(folder)
	if err != nil {
		return nil, t.fail(err)
	}
	for _, problem := range problems {
		fmt.Fprintln(t.err, problem)
	}
	if len(problems) > 0 {
		return nil, t.fail(fmt.Errorf("%s has %d problems: mend them, then publish", folder, len(problems)))
	}
	p, err := readPolicy(folder)
	if err != nil {
		return nil, t.fail(err)
	}
	return p, -1
}

func publishTo(ctx context.Context, bucket string, a archives.Archive) (url string, already bool, err error) {
	b, err := cloudstorage.New(bucket, patience, cloudstorage.Deployed)
	if err != nil {
		return "", false, err
	}
	url, already, err = archives.Publish(ctx, b, a)
	return url, already, errors.Join(err, b.Close())
}

// keepIn writes the archive below a folder, for somebody else to copy to the bucket. What is there has to be the same policy.
func keepIn(folder string, a archives.Archive) (file string, already bool, err error) {
	file = filepath.Join(folder, filepath.FromSlash(a.Name()))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return "", false, fmt.Errorf("making the folder of the archive: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		data, err := os.ReadFile(file)
		if err == nil {
			_, _, err = archives.Unpack(data, a.Digest)
		}
		if err != nil {
			return "", false, fmt.Errorf("%s is there, and is not this policy; move it away: %w", file, err)
		}
		return file, true, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("creating the archive: %w", err)
	}
	_, err = f.Write(a.Data)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", false, fmt.Errorf("writing the archive: %w", errors.Join(err, os.Remove(file)))
	}
	return file, false, nil
}

// policyDigest prints the digest of a folder, whatever it is missing: of what was unpacked, too.
func policyDigest(_ context.Context, t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	p, err := readPolicy(*folder)
	if err != nil {
		return t.fail(err)
	}
	fmt.Fprintln(t.out, "sha256:"+p.Digest)
	return exitGood
}
