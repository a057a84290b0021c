package web

// Networks tells tests how many networks a cap remembers.
func (c *Cap) Networks() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.current) + len(c.before)
}
