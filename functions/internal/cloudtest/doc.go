// Package cloudtest runs the functions on their production drivers: Firestore and Pub/Sub on the emulators, with real
// push subscriptions, and Secret Manager, Cloud KMS, the Admin SDK and a mail server behind their real protocols on
// this machine. It promises that a function which passes in local mode passes there too. It has no code of its own,
// and says nothing about IAM, quotas or latency.
package cloudtest
