// Command trust is the function that follows the evidence log, as it is deployed, with folders and one file in place of
// buckets and databases.
package main

import (
	"fmt"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ "ostiary.internal/functions/trust/keeppromises"
	_ "ostiary.internal/shared/evidence/log/folder"
	_ "ostiary.internal/shared/evidence/record/folder"
	_ "ostiary.internal/shared/platform/bus/local"
	_ "ostiary.internal/shared/platform/seal/local"
	_ "ostiary.internal/shared/platform/secret/file"
	_ "ostiary.internal/shared/platform/store/bolt"
	_ "ostiary.internal/shared/policy/dir"
)

func main() {
	if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
		fmt.Fprintln(os.Stderr, "trust:", err)
		os.Exit(1)
	}
}
