package firestore

// What the methods of the store ask of Firestore.
const (
	mayBegin  = "datastore.databases.get" // begins, commits and rolls back a transaction; reads nothing of it
	mayGet    = "datastore.entities.get"
	mayList   = "datastore.entities.list"
	mayCreate = "datastore.entities.create"
	mayUpdate = "datastore.entities.update"
	mayDelete = "datastore.entities.delete"
)

// Permissions names, for each method of store.Store and store.Tx, the IAM permissions it needs on the database
// (https://cloud.google.com/firestore/docs/security/iam, required permissions for API methods). What a function
// may do sums up from the methods it can reach.
var Permissions = map[string][]string{
	"Store.Get":   {mayGet},
	"Store.Query": {mayGet, mayList},
	"Store.Tx":    {mayBegin},
	"Tx.Get":      {mayGet},
	"Tx.Query":    {mayGet, mayList},
	"Tx.Create":   {mayGet, mayCreate, mayUpdate}, // an expired document is looked up and replaced
	"Tx.Put":      {mayCreate, mayUpdate},
	"Tx.Delete":   {mayDelete},
}
