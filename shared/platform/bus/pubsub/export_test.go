package pubsub

import "time"

// SetPatience shortens how long the client retries: Close waits for it.
func (p *Publisher) SetPatience(d time.Duration) { p.patience = d }
