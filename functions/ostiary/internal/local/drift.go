package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"ostiary.internal/functions/drift/checkdrift"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/testdata/sample"
)

// What there is on Google Cloud are the files of a folder in the data folder, as gcloud writes them; what Terraform wants is a
// state beside them, where there is one.
func (w *World) assetsDir() string { return filepath.Join(w.dir, "assets") }

func (w *World) stateFile() string { return filepath.Join(w.dir, "terraform.tfstate") }

func (w *World) states() string {
	if _, err := os.Stat(w.stateFile()); err != nil {
		return ""
	}
	return driver.URL("file", w.stateFile())
}

// openAssets puts there, once, what the sample company has: whoever changes it finds it changed after the next start.
func (w *World) openAssets() error {
	err := os.Mkdir(w.assetsDir(), 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making the folder of assets: %w", err)
	}
	for _, e := range w.policy.Company.Environments {
		text, known := sample.Assets(e.Project)
		if !known {
			continue
		}
		if err := os.WriteFile(filepath.Join(w.assetsDir(), e.Project+".json"), text, 0o600); err != nil {
			return fmt.Errorf("writing the sample company's assets: %w", err)
		}
	}
	return nil
}

// sendAsset sends a message of a feed of assets: a hint, upon which the folder is read.
func sendAsset(ctx context.Context, w *World, event json.RawMessage) error {
	if _, there := w.functions["checkdrift"]; !there {
		return errors.New("this process runs without checkdrift")
	}
	return w.bus.Publish(ctx, checkdrift.TopicFeed, bus.Message{Data: slices.Clone(event)})
}
