package bootstrap

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"roster/bootstrap/config"
)

// newLog returns the log of the settings: by default text on a terminal, JSON elsewhere. When out has no room, warnings
// and errors are dropped last.
// The level can be changed.
func newLog(cfg config.Config, out *LogOutput) (*zap.Logger, zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(cfg.LogLevel)
	if err != nil {
		return nil, level, err
	}
	format := cfg.LogFormat
	if format == "auto" {
		format = "json"
		if out.terminal() {
			format = "console"
		}
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.TimeKey = "time"
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if format == "console" {
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		if out.terminal() && !out.Plain {
			encoding.EncodeLevel = zapcore.CapitalColorLevelEncoder
		}
		encoding.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	core := func(w zapcore.WriteSyncer, enabled func(zapcore.Level) bool) zapcore.Core {
		return zapcore.NewCore(encoder, w, zap.LevelEnablerFunc(func(l zapcore.Level) bool { return level.Enabled(l) && enabled(l) }))
	}
	log := zap.New(zapcore.NewTee(
		core(zapcore.AddSync(ordinary{out}), func(l zapcore.Level) bool { return l < zapcore.WarnLevel }),
		core(zapcore.AddSync(out), func(l zapcore.Level) bool { return l >= zapcore.WarnLevel }),
	))
	out.onDrop(func(lines, all uint64) {
		log.Warn("lines of this log were dropped, since its reader did not take them in time",
			zap.Uint64("lines", lines), zap.Uint64("since_start", all))
	})
	return log, level, nil
}
