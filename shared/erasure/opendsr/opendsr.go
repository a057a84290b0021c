// Package opendsr speaks the processor's side of OpenDSR 2.0 (https://github.com/opengdpr/OpenDSR), for erasure, with
// the names of 1.0 (OpenGDPR) understood: reading requests, answering them, signing what is answered and checking the
// signatures of others. It does no I/O.
//
// The specification leaves gaps. This profile closes them:
//
//   - whoever calls is known by a token bound to one controller; the package is told the controller's id, and never
//     takes one from a body;
//   - a request's id is a UUID of version 4 in small letters. The same id with the same bytes is answered as before
//     (Request.Digest tells), with other bytes it is refused: IDConflict;
//   - submitted_time, at which the person asked, starts the deadline; more than five minutes ahead is refused;
//   - identities of types that are not served are listed as unused in the answer, and do not fail the request, unless no other is left;
//   - the specification does not say how a value is prepared before it is hashed. A digest here is the hexadecimal one of
//     the UTF-8 text without white space at both ends and in small letters, or of the value as it stands: Format.Tells
//     tries both;
//   - the regulation is gdpr or ccpa. The dates are those of the GDPR for both, which come first;
//   - a request is cancelled while it is pending, and no later; an unknown id is 404 and says no more;
//   - callbacks go to https hosts that are on the controller's list, never to an address, and are not redirected;
//   - the signature stands in the header alone, in base64 on one line: RSA PKCS #1 v1.5 over SHA-256 (FIPS 186-4), or
//     ECDSA where the certificate's key is on P-256. RSASSA-PSS is accepted from others.
package opendsr

import "time"

// Limits of a request.
const (
	MaxBytes      = 64 << 10
	MaxIdentities = 50
	MaxCallbacks  = 10
	MaxValueBytes = 1_500 // of an identity: what every store can compare

	maxDepth = 16
	ahead    = 5 * time.Minute // submitted_time may be ahead of our clock
)

// Version is the major version that the path and the headers name.
type Version int

// The versions: 1 is OpenGDPR, at /opengdpr_requests; 2 is OpenDSR, at /v2/requests.
const (
	V1 Version = 1
	V2 Version = 2
)

// IdentityType is a kind of identifier the specification names.
type IdentityType string

// ControllerCustomerID is the controller's own id of its customer; Email is an address. The others name devices.
const (
	ControllerCustomerID IdentityType = "controller_customer_id"
	Email                IdentityType = "email"
)

// IdentityTypes are all types of the specification, section "Subject Identities".
var IdentityTypes = []IdentityType{
	ControllerCustomerID, Email, "android_advertising_id", "android_id", "fire_advertising_id", "ios_advertising_id",
	"ios_vendor_id", "microsoft_advertising_id", "microsoft_publisher_id", "roku_publisher_id", "roku_advertising_id",
}

// Format is how an identity's value is written.
type Format string

// The formats of the specification: a value as it stands, or a digest of it in hexadecimal digits.
const (
	Raw    Format = "raw"
	SHA1   Format = "sha1"
	MD5    Format = "md5"
	SHA256 Format = "sha256"
)

// Formats are all of them, Raw first.
var Formats = []Format{Raw, SHA1, MD5, SHA256}

// Status is request_status: how a controller sees a request.
type Status string

// The states of the specification. It knows no failure; Extension tells the controller more.
const (
	Pending    Status = "pending"
	InProgress Status = "in_progress"
	Completed  Status = "completed"
	Cancelled  Status = "cancelled"
)
