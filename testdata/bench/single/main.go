// Command single is one function as it is deployed: the framework and the function's package, with the policy and the
// evidence in folders in place of buckets.
package main

import (
	"fmt"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ "ostiary.internal/functions/access/checkotp"
	_ "ostiary.internal/shared/evidence/record/folder"
	_ "ostiary.internal/shared/policy/dir"
)

func main() {
	if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
		fmt.Fprintln(os.Stderr, "single:", err)
		os.Exit(1)
	}
}
