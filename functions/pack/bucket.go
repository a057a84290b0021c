package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
)

const (
	maxArchive = 100 << 20       // bytes of one archive: far more than any function has
	maxList    = 1 << 20         // bytes of archives.json
	patience   = 5 * time.Minute // for one archive, over a slow line too
	together   = 4               // archives under way at once
)

func releaseName(sum string) string { return "releases/" + sum + ".json" }

// uploadAll puts the archives of the list into a bucket, and the list last: a release that can be fetched is whole.
func (o *options) uploadAll(ctx context.Context) error {
	name, err := bucketName(o.upload)
	if err != nil {
		return err
	}
	list, text, err := o.listed()
	if err != nil {
		return err
	}
	b, err := cloudstorage.New(name, patience, cloudstorage.Deployed)
	if err != nil {
		return err
	}
	defer b.Close()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(together)
	var one sync.Mutex // line at a time
	for _, function := range slices.Sorted(maps.Keys(list.Functions)) {
		group.Go(func() error {
			how, err := o.uploadOne(within, b, list.Functions[function])
			one.Lock()
			defer one.Unlock()
			if err == nil {
				fmt.Fprintf(o.stderr, "%s %s\n", list.Functions[function].Object, how)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if _, err := create(ctx, b, releaseName(digest(text)), "application/json", text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.stdout, "release sha256:%s is in gs://%s\n", digest(text), name)
	return err
}

// uploadOne puts one archive into the bucket, once its bytes are those of its name, and says how it came to be there.
func (o *options) uploadOne(ctx context.Context, b *cloudstorage.Bucket, p packaged) (how string, err error) {
	data, err := os.ReadFile(filepath.Join(o.out, p.Object))
	if err != nil {
		return "", fmt.Errorf("reading an archive: %w", err)
	}
	if "sha256:"+digest(data) != p.Digest {
		return "", fmt.Errorf("%s is not what its name says: run make dist again", filepath.Join(o.out, p.Object))
	}
	created, err := create(ctx, b, p.Object, "application/zip", data)
	if created {
		return "uploaded", err
	}
	return "is there already", err
}

// create puts an object into the bucket, or finds the same there. Something else under that name was put there by somebody who
// may create objects, and waits to be deployed: it is told, and never taken.
func create(ctx context.Context, b *cloudstorage.Bucket, name, contentType string, data []byte) (created bool, err error) {
	err = b.Create(ctx, name, contentType, data)
	if !fault.Is(err, fault.Conflict) {
		return err == nil, err
	}
	there, _, err := b.Read(ctx, name, maxArchive)
	if err != nil {
		return false, fmt.Errorf("%s is there already, and cannot be compared: %w", name, err)
	}
	if !bytes.Equal(there, data) {
		return false, fmt.Errorf("gs://%s/%s is there, and is not what its name says: find out who put it there, and deploy nothing", b.Name(), name)
	}
	return false, nil
}

var sumForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// fetchRelease writes the lists of an earlier release, when its archives are still there and the manifests are its own.
func (o *options) fetchRelease(ctx context.Context) error {
	sum := strings.TrimPrefix(o.fetch, "sha256:")
	name, err := bucketName(o.from)
	if err != nil {
		return err
	}
	if !sumForm.MatchString(sum) {
		return fmt.Errorf("%q names no release: 64 hexadecimal digits, as pack prints them", o.fetch)
	}
	b, err := cloudstorage.New(name, patience, cloudstorage.Deployed)
	if err != nil {
		return err
	}
	defer b.Close()
	text, _, err := b.Read(ctx, releaseName(sum), maxList)
	if err != nil {
		return fmt.Errorf("fetching the release: %w", err)
	}
	if digest(text) != sum {
		return fmt.Errorf("gs://%s/%s is not what its name says: find out who put it there, and deploy nothing", name, releaseName(sum))
	}
	list, err := parse(text)
	if err != nil {
		return err
	}
	if err := o.fits(list); err != nil {
		return err
	}
	if err := present(ctx, b, list); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return fmt.Errorf("making the folder of archives: %w", err)
	}
	if err := o.sweep(nil); err != nil {
		return err
	}
	return errors.Join(o.writeLists(list, text), o.tell(list, text))
}

// fitting is fits of the list in the folder of archives, from which Terraform's values are written anew.
func (o *options) fitting(context.Context) error {
	list, text, err := o.listed()
	if err != nil {
		return err
	}
	if err := o.fits(list); err != nil {
		return err
	}
	return errors.Join(o.writeLists(list, text), o.tell(list, text))
}

// fits says whether the manifests of the tree are those of a release. Terraform gives each function what the tree's manifest
// lists: older code under a newer manifest would find too little or have too much.
func (o *options) fits(list release) error {
	functions, err := manifest.All(os.DirFS(o.root))
	if err != nil {
		return err
	}
	tree := release{Functions: map[string]packaged{}}
	for _, f := range functions {
		sum, err := manifestDigest(o.root, f)
		if err != nil {
			return err
		}
		tree.Functions[f.Name] = packaged{Manifest: sum}
	}
	if diff := differences(list, tree, func(p packaged) string { return p.Manifest }); len(diff) > 0 {
		return fmt.Errorf("the manifests of %s are others than that release was packed with: deploy the commit of that release instead, Terraform and all", strings.Join(diff, ", "))
	}
	return nil
}

// present reads every archive of a release and compares it with its digest: what is deployed is what was released.
func present(ctx context.Context, b *cloudstorage.Bucket, list release) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for _, p := range list.Functions {
		group.Go(func() error {
			data, _, err := b.Read(ctx, p.Object, p.Size)
			if err != nil {
				return fmt.Errorf("looking for an archive of the release: %w", err)
			}
			if "sha256:"+digest(data) != p.Digest {
				return errors.New("gs://" + b.Name() + "/" + p.Object + " is not what its name says: find out who put it there, and deploy nothing")
			}
			return nil
		})
	}
	return group.Wait()
}
