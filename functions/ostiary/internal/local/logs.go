package local

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"

	"ostiary.internal/functions/watch/watchaudit"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/watch/episode"
)

// logger is where a function writes its log. What a log sink would carry to the watch goes that way here too.
func (w *World) logger(function string) *slog.Logger {
	return slog.New(&sink{Handler: w.log.Handler(), world: w}).With("function", function)
}

// sink stands for the log sink of a deployment: of the functions' own logs it carries the marker alone.
type sink struct {
	slog.Handler
	world *World
}

// Enabled lets markers through, whatever is printed.
func (s *sink) Enabled(ctx context.Context, level slog.Level) bool {
	return level == log.LevelNotice || s.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (s *sink) Handle(ctx context.Context, r slog.Record) error {
	if value, marked := log.LabelsOf(r)[episode.HeartbeatLabel]; marked {
		now := s.world.clock.Now()
		if err := s.world.bus.Publish(ctx, watchaudit.TopicEntries, bus.Message{Data: episode.Marker("local", now, value)}); err != nil {
			return err
		}
	}
	if !s.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s *sink) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sink{s.Handler.WithAttrs(attrs), s.world}
}

// WithGroup implements slog.Handler.
func (s *sink) WithGroup(name string) slog.Handler { return &sink{s.Handler.WithGroup(name), s.world} }

// auditEntry is the CloudEvent type of an audit entry that a trigger of Eventarc brings.
const auditEntry = "google.cloud.audit.log.v1.written"

// sendEntry sends an entry on as the log sink does, whatever it is wrapped in.
func sendEntry(ctx context.Context, w *World, event json.RawMessage) error {
	if _, there := w.functions["watchaudit"]; !there {
		return errors.New("this process runs without watchaudit")
	}
	return w.bus.Publish(ctx, watchaudit.TopicEntries, bus.Message{Data: slices.Clone(event)})
}
