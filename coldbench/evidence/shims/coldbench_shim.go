// Package coldbench makes a Go function tell the truth about its own instance.
//
// Save it as coldbench/coldbench_shim.go in your module and put it around your handler, last:
//
//	http.ListenAndServe(":"+port, coldbench.Wrap(handler))
//
// Every answer then carries Server-Timing and Cache-Control: no-store. From the environment it takes
// COLDBENCH_PROCESS_STARTED (epoch seconds: the init counts from the start of the process) and
// COLDBENCH_HOLD=1 (callers may keep an instance busy by X-Coldbench-Hold-Ms and X-Coldbench-Hold-Until).
//
// All instants are epoch microseconds, so that they compare with the platform's.
package coldbench

import (
	"crypto/rand"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	holdAtMost = 10 * time.Second
	oldestUs   = 3_600_000_000 // a stamp older than an hour has another unit, one in the future another clock
)

var importedUs = NowUs()

var (
	mutex    sync.Mutex // of all that follow
	endedUs  = importedUs
	restored bool
	spans    []string
	seq      int
	instance string
)

// NowUs is the clock of the system.
func NowUs() int64 { return time.Now().UnixMicro() }

// Span names a part of the init (letters, digits, - and _) that began then and ends now.
func Span(name string, beganUs int64) {
	mutex.Lock()
	defer mutex.Unlock()
	spans = append(spans, fmt.Sprintf("init-%s;dur=%s", name, ms(NowUs()-beganUs)))
}

// InitEnded ends the init now and says when that was. Wrap does it; call it where yours ends later.
func InitEnded() int64 {
	mutex.Lock()
	defer mutex.Unlock()
	endedUs = NowUs()
	return endedUs
}

// Restored says that a snapshot was restored: an instance whose init was another's.
func Restored() {
	mutex.Lock()
	defer mutex.Unlock()
	restored, spans, seq, instance, endedUs = true, nil, 0, "", NowUs()
}

// Wrap puts the evidence into each answer of handler.
func Wrap(handler http.Handler) http.Handler {
	InitEnded()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &answer{ResponseWriter: w, timing: arrived(r.Header.Get("X-Request-Start"))}
		hold(r.Header.Get("X-Coldbench-Hold-Until"), r.Header.Get("X-Coldbench-Hold-Ms"))
		handler.ServeHTTP(answer, r)
		answer.begin()
	})
}

type answer struct {
	http.ResponseWriter
	timing func() string
	begun  bool
}

func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	timing := append(a.Header().Values("Server-Timing"), a.timing())
	a.Header().Set("Server-Timing", strings.Join(timing, ", "))
	a.Header().Set("Cache-Control", "no-store")
}

func (a *answer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		a.begin()
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(part []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(part)
}

// Flush is http.Flusher.
func (a *answer) Flush() {
	a.begin()
	if flusher, ok := a.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// A request has come. What is returned gives the header, right before the answer is sent.
func arrived(requestStart string) func() string {
	mutex.Lock()
	defer mutex.Unlock()
	atUs := NowUs()
	if instance == "" {
		instance = uuid() // lazily: a copy that is restored before its first request makes its own
	}
	seq++
	parts := append([]string(nil), spans...)
	if !restored {
		beganUs, from := importedUs, "import"
		if startedUs, ok := micros(os.Getenv("COLDBENCH_PROCESS_STARTED")); ok {
			beganUs, from = startedUs, "process"
		}
		parts = append(parts, fmt.Sprintf("init;dur=%s;desc=%q", ms(endedUs-beganUs), from))
	}
	parts = append(parts,
		"age;dur="+ms(atUs-endedUs),
		fmt.Sprintf("seq;desc=\"%d\"", seq),
		fmt.Sprintf("inst;desc=%q", instance))
	return func() string {
		timing := append(parts, "exec;dur="+ms(NowUs()-atUs))
		if queueUs, ok := sinceReceipt(requestStart, atUs); ok {
			timing = append(timing, "queue;dur="+ms(queueUs))
		}
		return strings.Join(timing, ", ")
	}
}

// The platform's `t=1700000000.123456`, as nginx's `t=${msec}` has it; other forms are not read.
func sinceReceipt(requestStart string, atUs int64) (int64, bool) {
	stamp := strings.TrimPrefix(requestStart, "t=")
	receivedUs, ok := micros(stamp)
	queueUs := atUs - receivedUs
	if !ok || stamp == requestStart || queueUs >= oldestUs || queueUs < 0 {
		return 0, false
	}
	return queueUs, true
}

// Keeps the instance busy as asked, where its owner allows that.
func hold(untilMs, forMs string) {
	if os.Getenv("COLDBENCH_HOLD") != "1" {
		return
	}
	var wait time.Duration
	if until, err := strconv.ParseFloat(untilMs, 64); err == nil {
		wait = time.Until(time.UnixMicro(int64(until * 1000)))
	} else if period, err := strconv.ParseFloat(forMs, 64); err == nil {
		wait = time.Duration(period * float64(time.Millisecond))
	}
	if wait > holdAtMost {
		wait = holdAtMost
	}
	time.Sleep(wait)
}

func ms(us int64) string { return strconv.FormatFloat(float64(us)/1000, 'f', 3, 64) }

func micros(seconds string) (int64, bool) {
	value, err := strconv.ParseFloat(seconds, 64)
	if err != nil || math.Abs(value) > 1e11 {
		return 0, false
	}
	return int64(math.Round(value * 1e6)), true
}

func uuid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
