package page

import (
	"fmt"
	"time"
)

// Seconds rounds a wait up: whoever comes back earlier is refused again. Nothing is 0.
func Seconds(wait time.Duration) int {
	if wait <= 0 {
		return 0
	}
	return int((wait + time.Second - 1) / time.Second)
}

// Clock writes seconds as people read a countdown: "0:29", "12:05", "1:00:00".
func Clock(seconds int) string {
	if seconds >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}
