# coldbench's shim for bash 5: a custom runtime (Lambda's `bootstrap`) tells the truth about its own instance.
#
# Save it as coldbench_shim.sh beside your bootstrap:
#
#     source ./coldbench_shim.sh                    # first: the init counts from here
#     ...                                           # your init
#     coldbench_init_ended
#     while true; do                                # curl ... /invocation/next -D "$head" > "$event"
#         coldbench_arrived "$request_start"        # of the event: headers["x-request-start"], or ""
#         ...                                       # your function
#         coldbench_server_timing                   # sets $COLDBENCH_SERVER_TIMING, for the answer's headers:
#     done                                          # Server-Timing, beside Cache-Control: no-store
#
# The functions set variables: called in $(...) they would count in a copy of the shell. requestContext.timeEpoch
# (milliseconds) may stand for the header: coldbench_arrived "t=$((epoch / 1000)).$(printf %03d $((epoch % 1000)))".
# After a snapshot was restored call coldbench_restored. From the environment it takes COLDBENCH_PROCESS_STARTED
# (epoch seconds: the init counts from the start of the process) and COLDBENCH_HOLD=1 (callers may keep an instance
# busy: coldbench_hold UNTIL_MS FOR_MS, with the values of X-Coldbench-Hold-Until and X-Coldbench-Hold-Ms).
# All instants are epoch microseconds, so that they compare with the platform's.

coldbench_now() { coldbench_now_us=${EPOCHREALTIME/[.,]/}; }

# SECONDS.FRACTION -> coldbench_us; false for anything else
coldbench_micros() {
    [[ $1 =~ ^([0-9]{1,11})(\.([0-9]{1,9}))?$ ]] || return 1
    local part=${BASH_REMATCH[3]}000000
    coldbench_us=$((10#${BASH_REMATCH[1]} * 1000000 + 10#${part:0:6}))
}

# MICROSECONDS -> coldbench_ms, milliseconds with three digits
coldbench_as_ms() { printf -v coldbench_ms '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }

# A named part of the init (letters, digits, - and _) that began then (a coldbench_now_us of yours) and ends now.
coldbench_span() {
    coldbench_now
    coldbench_as_ms $((coldbench_now_us - $2))
    coldbench_spans+=", init-$1;dur=$coldbench_ms"
}

coldbench_init_ended() {
    coldbench_now
    coldbench_ended_us=$coldbench_now_us
    coldbench_as_ms $((coldbench_ended_us - coldbench_began_us))
    coldbench_init="init;dur=$coldbench_ms;desc=\"$coldbench_from\"$coldbench_spans, "
}

# A snapshot was restored: an instance whose init was another's.
coldbench_restored() {
    coldbench_now
    coldbench_ended_us=$coldbench_now_us coldbench_seq=0 coldbench_instance='' coldbench_init=''
}

# A request has come; its X-Request-Start, or nothing.
coldbench_arrived() {
    coldbench_now
    coldbench_at_us=$coldbench_now_us
    # Lazily: a copy that is forked or restored before its first request makes its own.
    [[ $coldbench_instance ]] || read -r coldbench_instance < /proc/sys/kernel/random/uuid
    coldbench_seq=$((coldbench_seq + 1))
    coldbench_queue=''
    # As nginx's t=${msec} has it; a stamp further away than an hour has another unit, or another clock.
    if [[ $1 == t=* ]] && coldbench_micros "${1#t=}"; then
        local queue_us=$((coldbench_at_us - coldbench_us))
        if ((queue_us >= 0 && queue_us < 3600000000)); then
            coldbench_as_ms "$queue_us"
            coldbench_queue=", queue;dur=$coldbench_ms"
        fi
    fi
}

coldbench_server_timing() {
    coldbench_now
    coldbench_as_ms $((coldbench_now_us - coldbench_at_us))
    local exec_ms=$coldbench_ms
    coldbench_as_ms $((coldbench_at_us - coldbench_ended_us))
    COLDBENCH_SERVER_TIMING="${coldbench_init}age;dur=$coldbench_ms, seq;desc=\"$coldbench_seq\""
    COLDBENCH_SERVER_TIMING+=", inst;desc=\"$coldbench_instance\", exec;dur=$exec_ms$coldbench_queue"
}

# Keep the instance busy as asked, where its owner allows that: ten seconds at most.
coldbench_hold() {
    [[ $COLDBENCH_HOLD == 1 ]] || return 0
    coldbench_now
    local wait_ms=0
    if [[ $1 =~ ^[0-9]{1,14} ]]; then
        wait_ms=$((10#${BASH_REMATCH[0]} - coldbench_now_us / 1000))
    elif [[ $2 =~ ^[0-9]{1,9} ]]; then
        wait_ms=$((10#${BASH_REMATCH[0]}))
    fi
    ((wait_ms > 0)) || return 0
    coldbench_as_ms $((wait_ms < 10000 ? wait_ms : 10000))
    sleep "$coldbench_ms" # of milliseconds it makes seconds
}

coldbench_now
coldbench_began_us=$coldbench_now_us coldbench_from=import coldbench_spans='' coldbench_init='' coldbench_queue=''
coldbench_seq=0 coldbench_instance='' coldbench_ended_us=$coldbench_now_us
if coldbench_micros "${COLDBENCH_PROCESS_STARTED-}"; then
    coldbench_began_us=$coldbench_us coldbench_from=process
fi
