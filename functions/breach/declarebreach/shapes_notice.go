package declarebreach

import "time"

// NewNotice writes a notice, or another version of one.
type NewNotice struct {
	Kind    string                                  `json:"kind" required:"true" enum:"initial,update,final,correction,withdrawal,persons"`
	Texts   map[string]map[string]string            `json:"texts,omitempty" doc:"by language (en, fr, de), then by name; \"unknown\" for what is not known yet"`
	Own     map[string]map[string]map[string]string `json:"own,omitempty" doc:"what is each tenant's own beside that, such as subjects and records: by tenant, language, name"`
	Tenants []string                                `json:"tenants,omitempty" doc:"whom it is for; left out: all of whom nobody decided that they are not told, but those that heard it already"`
}

// Notice is one notice as it stands.
type Notice struct {
	N        int       `json:"n"`
	Kind     string    `json:"kind" enum:"initial,update,final,correction,withdrawal,persons"`
	State    string    `json:"state" enum:"drafted,approved,sent,expired,voided"`
	Version  int       `json:"version"`
	Author   string    `json:"author"`
	Written  time.Time `json:"written"`
	Hash     string    `json:"hash" doc:"of every text and every address: give it back with an approval"`
	To       int       `json:"to" doc:"recipients"`
	Approver string    `json:"approved_by,omitempty"`
	Agreed   time.Time `json:"approved_at,omitzero"`
	Glass    bool      `json:"alone,omitempty" doc:"one person approved it alone"`
	Reviewer string    `json:"reviewed_by,omitempty"`
	Late     bool      `json:"review_overdue,omitempty"`
	Handed   int       `json:"handed"`
	Accepted int       `json:"accepted"`
	Failed   int       `json:"failed"`
	Unknown  int       `json:"unknown" doc:"may have arrived: somebody has to ask"`
}

// Opened is a notice with what was written, and exactly what is sent.
type Opened struct {
	Notice
	Texts    map[string]map[string]string            `json:"texts"`
	Own      map[string]map[string]map[string]string `json:"own,omitempty"`
	Tenants  []string                                `json:"tenants,omitempty"`
	Without  []string                                `json:"without,omitempty" doc:"tenants it leaves out: nobody is named to be told there, and somebody calls them"`
	Reason   string                                  `json:"reason,omitempty" doc:"why one person approved it alone"`
	Means    string                                  `json:"means,omitempty" doc:"how persons were told"`
	Now      string                                  `json:"hash_now,omitempty" doc:"of what would be sent now; another than hash: it has to be written again"`
	Messages []Message                               `json:"messages" doc:"at most 50, from the one asked for on"`
	Count    int                                     `json:"messages_count"`
}

// Message is one text to one recipient.
type Message struct {
	Tenant   string   `json:"tenant,omitempty"`
	Language string   `json:"language"`
	Ways     []string `json:"ways" doc:"channels and addresses, in the order they are tried"`
	Subject  string   `json:"subject"`
	Text     string   `json:"text"`
	Short    string   `json:"short,omitempty" doc:"what a text message says instead"`
}

// Written lists the notices of a case.
type Written struct {
	Notices []Notice `json:"notices"`
}

// Agreement approves exactly what was seen.
type Agreement struct {
	Hash string `json:"hash" required:"true"`
}

// Need approves alone.
type Need struct {
	Hash   string `json:"hash" required:"true"`
	Reason string `json:"reason" required:"true" doc:"why nobody else can be reached in time"`
}

// Spoken says how persons were told, by the company's own product.
type Spoken struct {
	Means string    `json:"means" required:"true"`
	At    time.Time `json:"at" required:"true"`
}

// Delivered lists who was told, and what became of it.
type Delivered struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next,omitempty" doc:"where the next page begins: give it back as after"`
}

// Delivery is one recipient of a notice.
type Delivery struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"tenant,omitempty"`
	Who      string    `json:"recipient" doc:"what records call the recipient: a commitment of the contact's mail address, whatever her channels"`
	Language string    `json:"language"`
	Progress string    `json:"progress" enum:"going,arrived,lost,doubtful"`
	Ways     []string  `json:"ways" doc:"channels and addresses, in the order they are tried"`
	Handed   time.Time `json:"handed"`
	Due      time.Time `json:"due,omitzero"`
	Told     time.Time `json:"told,omitzero"`
	Received time.Time `json:"delivered_at,omitzero" doc:"when the mail provider said that the recipient's own server has it; left out: it did not say, or no provider can"`
	Contrary bool      `json:"contrary,omitempty" doc:"a provider said otherwise than what counts: see later in tries"`
	Tries    []Try     `json:"tries,omitempty"`
	Settler  string    `json:"settled_by,omitempty"`
	Settled  time.Time `json:"settled_at,omitzero"`
}

// Try is what became of one channel.
type Try struct {
	Channel  string    `json:"channel"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts,omitempty"`
	Why      string    `json:"why,omitempty"`
	At       time.Time `json:"at"`
	TLS      string    `json:"tls,omitempty" doc:"how the connection was protected; left out: not known"`
	Peer     string    `json:"reference,omitempty" doc:"what the peer calls it"`
	Later    []Later   `json:"later,omitempty" doc:"what the peer said after it had taken it, for certain; the first counts, unless a person found out"`
}

// Later is what a peer said of a message after it had taken it.
type Later struct {
	State string    `json:"state" enum:"delivered,bounced"`
	At    time.Time `json:"at" doc:"when it said so"`
}

// Outcome says what became of a delivery, as a person found out.
type Outcome struct {
	Arrived bool      `json:"arrived" required:"true" doc:"false also of one that a mail server took and nobody got: the tenant counts as not told, and the next way is tried"`
	At      time.Time `json:"at,omitzero" doc:"of what arrived: when, between the handing over and now; left out: now"`
}
