package pairaddress

import (
	"os"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
)

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, manifest, nil)) }
