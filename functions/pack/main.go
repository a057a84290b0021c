// Command pack makes one source archive for each function, as Cloud Functions builds it: the function's packages and the
// packages of others that they need, nothing else, and a root package that registers the function.
//
// It promises that the archives depend on the sources alone: packed twice, elsewhere, at another time, each has the same
// bytes, and its name holds their SHA-256. So a change of one function's sources deploys that function and no other, and the
// digest that a record names covers everything that ran but for the Go distribution. What was released is never replaced.
//
// The packages of others are in the archive ("vendor"): the build then asks no network and no module proxy, the buildpack runs
// no "go mod tidy" that could choose other versions, and each module was compared with go.sum here. The bytes do depend on the
// release of Go that compresses them: archives.json says which it was.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes; 64 is usage as in sysexits.h.
const (
	exitGood  = 0
	exitWrong = 1
	exitUsage = 64
)

const usage = `usage: go run ./functions/pack [--out DIR] [--bucket NAME]
       go run ./functions/pack --check [--out DIR]
       go run ./functions/pack --fits [--out DIR]
       go run ./functions/pack --upload gs://BUCKET [--out DIR]
       go run ./functions/pack --fetch SHA256 --from gs://BUCKET [--out DIR]

The first packs every function into DIR: FUNCTION-SHA256.zip for each, archives.json, which lists them,
archives.tfvars.json, which Terraform takes with -var-file, and sbom.cdx.json, which lists the modules of others in each
(CycloneDX 1.5). SHA-256 of archives.json names the release.
--check packs again, writes nothing, and says which archives of DIR the sources no longer give.
--fits says whether what archives.json lists was packed with the manifests of this tree, by which Terraform gives each function
its rights and settings, and writes archives.tfvars.json anew from it.
--upload puts into a bucket what archives.json lists, and last archives.json itself as releases/SHA256.json. Nothing is replaced.
--fetch brings the lists of an earlier release back, to deploy it once more, once it has found its archives in the bucket. It is
refused where --fits would be: then deploy the commit of that release.

exit codes: 0 done; 1 it could not be done, or the sources give other archives; 64 usage
`

// options are what the flags say.
type options struct {
	root, out           string
	bucket              string // for archives.tfvars.json; may be left out
	upload, fetch, from string
	check, fit          bool
	stdout, stderr      io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run reads the flags and does what they say.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := options{stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	flags.StringVar(&o.root, "root", ".", "")
	flags.StringVar(&o.out, "out", "dist", "")
	flags.StringVar(&o.bucket, "bucket", "", "")
	flags.StringVar(&o.upload, "upload", "", "")
	flags.StringVar(&o.fetch, "fetch", "", "")
	flags.StringVar(&o.from, "from", "", "")
	flags.BoolVar(&o.check, "check", false, "")
	flags.BoolVar(&o.fit, "fits", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitGood
	case err != nil:
		return exitUsage
	}
	do := o.pack
	chosen := 0
	for _, mode := range []struct {
		wanted bool
		do     func(context.Context) error
	}{{o.check, o.compare}, {o.fit, o.fitting}, {o.upload != "", o.uploadAll}, {o.fetch != "", o.fetchRelease}} {
		if mode.wanted {
			do, chosen = mode.do, chosen+1
		}
	}
	if chosen > 1 || flags.NArg() > 0 || (o.fetch == "") != (o.from == "") || o.bucket != "" && (o.check || o.upload != "") {
		flags.Usage()
		return exitUsage
	}
	if err := do(ctx); err != nil {
		fmt.Fprintf(stderr, "pack: %v\n", err)
		return exitWrong
	}
	return exitGood
}

// bucketName is BUCKET of gs://BUCKET.
func bucketName(address string) (string, error) {
	name, cloud := strings.CutPrefix(strings.TrimSuffix(address, "/"), "gs://")
	if !cloud || name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("%q is not of the form gs://BUCKET", address)
	}
	return name, nil
}
