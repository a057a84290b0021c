package register

// Words returns all words for tests.
func Words() map[string]map[string]string {
	all := map[string]map[string]string{}
	for key, word := range words {
		all[key] = map[string]string{}
		for l, text := range word {
			all[key][string(l)] = text
		}
	}
	return all
}
