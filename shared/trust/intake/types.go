package intake

import "time"

// Named lists the promises an event is about: some of those the sender's entry names. Left out where it can prove one
// alone.
type Named struct {
	Promises []string `json:"promises" form:"promise" items:"0..64" doc:"ids of the promises it is about; needed where the sender may prove several by this type"`
}

func (n Named) named() []string { return n.Promises }

// BuildTested is one run of one test suite.
type BuildTested struct {
	Named
	Number
	Commit string `json:"commit" required:"true" form:"commit" doc:"what was tested"`
	Suite  string `json:"suite" required:"true" form:"name" doc:"which suite; the newest run of each counts"`
	Tests  int64  `json:"tests" required:"true" doc:"tests that should have run"`
	Passed int64  `json:"passed" required:"true"`
	Failed int64  `json:"failed" required:"true"`
	// Deployed is the release the suite looked at.
	Deployed  *time.Time `json:"deployed" doc:"when what was tested went live; needed where a promise limits the time from there"`
	SignedOff *time.Time `json:"signed_off" doc:"when a person had tested the same by hand; needed, with deployed, where a promise says that it is tested so once it is live"`
}

// BuildScanned is one analysis of source, dependencies or an image.
type BuildScanned struct {
	Named
	Commit    string     `json:"commit" required:"true" form:"commit" doc:"what was analysed"`
	Tool      string     `json:"tool" required:"true" form:"name"`
	Scope     string     `json:"scope" required:"true" enum:"code,dependencies,image,secrets"`
	Committed *time.Time `json:"committed" doc:"when the commit reached its branch; needed where a promise limits the lag"`
	Critical  int64      `json:"critical" required:"true" doc:"open findings"`
	High      int64      `json:"high" required:"true"`
	Medium    int64      `json:"medium" required:"true"`
	Low       int64      `json:"low" required:"true"`
}

// ReleaseDeployed is one deployment. Only one to the live environment proves or breaks a promise.
type ReleaseDeployed struct {
	Named
	Digest      string     `json:"digest" required:"true" form:"digest" doc:"of what was deployed"`
	Environment string     `json:"environment" required:"true" enum:"dev,staging,live"`
	SuitePassed bool       `json:"suite_passed" required:"true" doc:"the automated tests of this digest passed before"`
	SignedOff   bool       `json:"signed_off" required:"true" doc:"a person released this digest before"`
	DevAt       *time.Time `json:"dev_at" doc:"when this digest was deployed for development"`
	StagingAt   *time.Time `json:"staging_at" doc:"when this digest was deployed for acceptance"`
	BaseBuilt   *time.Time `json:"base_built" doc:"when the oldest base image or dependency set in it was refreshed"`
	Previous    *time.Time `json:"previous" doc:"when the release before was deployed"`
}

// BackupCompleted tells how every store of the company is backed up, the failed ones included.
type BackupCompleted struct {
	Named
	Expected int64    `json:"expected" required:"true" range:"1..10000" doc:"stores that should be backed up"`
	Failed   int64    `json:"failed" required:"true" doc:"stores that could not be looked at"`
	Stores   []Backup `json:"stores" required:"true" items:"1..500"`
}

// Backup is the state of one store's backups.
type Backup struct {
	Store      string    `json:"store" required:"true" form:"name"`
	Restorable time.Time `json:"restorable" required:"true" doc:"the newest point it can be restored to"`
	Regions    int64     `json:"regions" required:"true" range:"0..100" doc:"regions that hold a copy not older than that"`
	Offsite    int64     `json:"offsite" required:"true" range:"0..100" doc:"copies with another provider not older than that"`
	SizeOff    *int64    `json:"size_off_percent" doc:"by how much the size of the worst copy differs from that of the store, rounded up; needed where a promise limits it"`
}

// BackupRestored is one restore, in a drill or in earnest.
type BackupRestored struct {
	Named
	Store    string    `json:"store" required:"true" form:"name"`
	Declared time.Time `json:"declared" required:"true" doc:"when it was decided to restore"`
	Restored time.Time `json:"restored" required:"true" doc:"when the store served again"`
	LostS    int64     `json:"lost_s" required:"true" doc:"seconds of data that were lost"`
	Checksum bool      `json:"checksum_ok" required:"true" doc:"what was restored is what was backed up"`
	Rest     *bool     `json:"rest_unchanged" doc:"rows that nobody asked for are as many as before, with the same checksum; needed where a duty asks for evidence about rest-unchanged"`
	Request  *string   `json:"request" form:"line" doc:"what was asked for, in the words of the request; it then counts for that request and nothing else"`
}

// TrainingCompleted is one person's course.
type TrainingCompleted struct {
	Named
	Person string `json:"person" required:"true" form:"address" doc:"her e-mail address; it is sealed, never published"`
	Course string `json:"course" required:"true" form:"name"`
	Passed bool   `json:"passed" required:"true"`
	Score  *int64 `json:"score" range:"0..100" doc:"percent"`
}

// PersonScreened is one person's background check.
type PersonScreened struct {
	Named
	Person string `json:"person" required:"true" form:"address" doc:"her e-mail address; it is sealed, never published"`
	Level  string `json:"level" required:"true" enum:"basic,standard,enhanced"`
	Result string `json:"result" required:"true" enum:"clear,concern"`
	// Checks is needed where a duty asks for one of them.
	Checks []string `json:"checks" form:"name" items:"0..20" doc:"which checks were made, such as identity or criminal-record; never what they found"`
}

// PersonNDA is one person's signature under the non-disclosure agreement.
type PersonNDA struct {
	Named
	Person   string    `json:"person" required:"true" form:"address" doc:"her e-mail address; it is sealed, never published"`
	Document string    `json:"document" required:"true" form:"digest" doc:"of the signed text"`
	Signed   time.Time `json:"signed" required:"true"`
}

// ScanFinished is one scan from inside or outside, or a grade others give.
type ScanFinished struct {
	Named
	Number
	Tool              string  `json:"tool" required:"true" form:"name"`
	Kind              string  `json:"kind" required:"true" enum:"vulnerability,malware,tls,reputation,configuration,secrets,content,audit-trail,credentials,personal-data,intrusion,schema,log-lock,marketing,oauth,passwords,tenants" doc:"what was looked for: a promise is kept by a scan for what it is about, and by no other"`
	Target            string  `json:"target" required:"true" form:"line" doc:"what was scanned; for a requested clearance, the name that was asked for"`
	Expected          int64   `json:"expected" required:"true" doc:"assets that should have been scanned"`
	Seen              int64   `json:"seen" required:"true"`
	Errors            int64   `json:"errors" required:"true"`
	Critical          int64   `json:"critical" required:"true" doc:"open findings; of a scan for malware, or for something a promise rules out, whatever it found"`
	OldestCriticalDay *int64  `json:"oldest_critical_days" range:"0..36500" doc:"age of the oldest of them; needed where a promise limits it"`
	Grade             *string `json:"grade" enum:"A+,A,A-,B,C,D,E,F"`
	// Found is needed where a promise lists what may be there.
	Found []string `json:"found" form:"name" items:"0..100" doc:"all there is of what a promise lists: scopes that are asked for, kinds of content that are served"`
	// Drill and Raised are needed where a promise says that drills are made.
	Drill  *time.Time `json:"drill" doc:"when the newest harmless attack was made"`
	Raised *time.Time `json:"alert_raised" doc:"when that attack raised an alert; left out where it did not"`
}

// PentestReport is one report of a penetration test or an audit.
type PentestReport struct {
	Named
	Report   string    `json:"report" required:"true" form:"digest" doc:"of the document"`
	Tester   string    `json:"tester" required:"true" enum:"internal,external"`
	Scope    []string  `json:"scope" form:"name" items:"0..20" doc:"what was tested, such as network or application; needed where a duty asks for one of them"`
	From     time.Time `json:"from" required:"true"`
	To       time.Time `json:"to" required:"true"`
	Critical int64     `json:"critical_open" required:"true"`
	High     int64     `json:"high_open" required:"true"`
	Medium   int64     `json:"medium_open" required:"true"`
	Low      int64     `json:"low_open" required:"true"`
}

// ReviewDone is one review that a tool led a person through.
type ReviewDone struct {
	Named
	Review   string     `json:"review" required:"true" enum:"access,roles,suppliers,subprocessors,logs,risks,architecture,incidents,policy,tools,people,audit,passwords,agreements,acknowledgements"`
	Period   *string    `json:"period" enum:"day,week,month,quarter,half-year,year" doc:"what it covers; needed where the policy has several reviews of a kind"`
	External *bool      `json:"external" doc:"somebody from outside the company did it, for the reviewer; needed where a duty asks for that"`
	Until    *time.Time `json:"until" doc:"of agreements: when the first of them ends; records of the review count no longer"`
	WaitedS  *int64     `json:"waited_s" doc:"of acknowledgements: seconds the one who took or takes longest has had the version in force, or access; needed where a promise limits them"`
	Ended    *time.Time `json:"ended" doc:"when it was over, if not when the event happened: it counts from then"`
	Reviewer string     `json:"reviewer" required:"true" form:"address" doc:"her e-mail address; it is sealed, never published"`
	Expected int64      `json:"expected" required:"true" range:"1..9007199254740991" doc:"what there was to look at"`
	Reviewed int64      `json:"reviewed" required:"true"`
	Open     int64      `json:"open" required:"true" doc:"findings still to be acted on"`
}

// EndpointReport is the state of all devices that people work on.
type EndpointReport struct {
	Named
	Expected      int64 `json:"expected" required:"true" doc:"devices that should have reported"`
	Seen          int64 `json:"seen" required:"true"`
	Unmanaged     int64 `json:"unmanaged" required:"true" doc:"devices that work for the company and are not its own"`
	Unencrypted   int64 `json:"unencrypted" required:"true"`
	AntivirusOff  int64 `json:"antivirus_off" required:"true"`
	OldSignatures int64 `json:"old_signatures" required:"true"`
}

// UptimeReport is what one outside monitor measured over a time, and how its alert of that time went, a drill or not.
type UptimeReport struct {
	Named
	Endpoint string    `json:"endpoint" required:"true" form:"name"`
	From     time.Time `json:"from" required:"true"`
	To       time.Time `json:"to" required:"true"`
	Last     time.Time `json:"last" required:"true" doc:"of the newest probe"`
	Probes   int64     `json:"probes" required:"true" range:"1..9007199254740991" doc:"that should have been made"`
	Missing  int64     `json:"missing" required:"true" doc:"that were not made"`
	Failed   int64     `json:"failed" required:"true" doc:"that found it down"`

	AlertFired   *time.Time `json:"alert_fired" doc:"when it raised its newest alert; needed where a promise limits drill or ack"`
	AlertReached *time.Time `json:"alert_reached" doc:"when that alert was delivered to a person"`
	AlertAcked   *time.Time `json:"alert_acknowledged" doc:"when she said that she looks after it"`
}
