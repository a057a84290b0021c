// Package firestoretest opens Firestore stores on the emulator, for tests of packages that use a store. Where the
// emulator is absent, package require decides what the test does.
package firestoretest

import (
	"testing"

	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore"
)

// New returns a store in an empty database of its own. Keep parallel writers of one document to eight: the
// emulator resolves contention by waiting for seconds.
func New(t testing.TB, o store.Options) store.Store {
	t.Helper()
	s, err := firestore.New(emulatortest.Project(t), "control", o, Client(t)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Client returns the options that lead a client of Firestore to the emulator.
func Client(t testing.TB) []option.ClientOption {
	t.Helper()
	return []option.ClientOption{
		option.WithEndpoint(emulatortest.Firestore(t)),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
}
