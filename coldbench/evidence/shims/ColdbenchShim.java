import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpPrincipal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * coldbench's shim for Java 11 or newer: the function tells the truth about its own instance.
 *
 * <p>Save it as ColdbenchShim.java beside your function. With the JDK's own server:
 *
 * <pre>
 *   ColdbenchShim.nowUs();   // first in main: the init counts from here
 *   ...
 *   server.createContext("/", ColdbenchShim.wrap(handler));
 *   ColdbenchShim.initEnded();   // right before server.start()
 * </pre>
 *
 * With any other (servlets, Spring): {@code var visit = ColdbenchShim.arrived(header)} when a request comes, and
 * {@code visit.serverTiming()} as the header Server-Timing right before the answer, with Cache-Control: no-store.
 *
 * <p>From the environment it takes COLDBENCH_PROCESS_STARTED (epoch seconds: the init counts from the start of the
 * process) and COLDBENCH_HOLD=1 (callers may keep an instance busy by X-Coldbench-Hold-Ms and
 * X-Coldbench-Hold-Until). All instants are epoch microseconds, so that they compare with the platform's.
 */
public final class ColdbenchShim {
    private static final long HOLD_AT_MOST_MS = 10_000;
    // A stamp further away than an hour has another unit, or another clock.
    private static final long OLDEST_US = 3_600_000_000L;

    private static final List<String> spans = new ArrayList<>();
    private static final long importedUs = nowUs();
    private static final Optional<Long> startedUs = micros(System.getenv("COLDBENCH_PROCESS_STARTED"));
    private static long endedUs = importedUs;
    private static boolean restored;
    private static int seq;
    private static String instance;

    private ColdbenchShim() {}

    /** The clock of the system. */
    public static long nowUs() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
    }

    /** A named part of the init (letters, digits, - and _) that began then and ends now. */
    public static synchronized void span(String name, long beganUs) {
        spans.add("init-" + name + ";dur=" + ms(nowUs() - beganUs));
    }

    /** The init ends now. */
    public static synchronized void initEnded() {
        endedUs = nowUs();
    }

    /** A snapshot was restored: an instance whose init was another's. Call it in CRaC's afterRestore (SnapStart). */
    public static synchronized void restored() {
        restored = true;
        spans.clear();
        seq = 0;
        instance = null;
        endedUs = nowUs();
    }

    /** A request has come; its header X-Request-Start, or null. */
    public static synchronized Visit arrived(String requestStart) {
        long atUs = nowUs();
        if (instance == null) {
            instance = UUID.randomUUID().toString(); // lazily: a copy restored before its first request makes its own
        }
        List<String> metrics = new ArrayList<>(spans);
        if (!restored) {
            String from = startedUs.isPresent() ? "process" : "import";
            metrics.add("init;dur=" + ms(endedUs - startedUs.orElse(importedUs)) + ";desc=\"" + from + "\"");
        }
        metrics.add("age;dur=" + ms(atUs - endedUs));
        metrics.add("seq;desc=\"" + ++seq + "\"");
        metrics.add("inst;desc=\"" + instance + "\"");
        return new Visit(metrics, atUs, stampUs(requestStart));
    }

    /** Keeps the instance busy as its caller asks, where its owner allows that; header values, or null. */
    public static void hold(String untilMs, String forMs) throws InterruptedException {
        if (!"1".equals(System.getenv("COLDBENCH_HOLD"))) {
            return;
        }
        Optional<Double> until = number(untilMs);
        double askedMs = until.isPresent() ? until.get() - nowUs() / 1000.0 : number(forMs).orElse(0.0);
        Thread.sleep((long) Math.max(0, Math.min(askedMs, HOLD_AT_MOST_MS)));
    }

    /** A handler of the JDK's own HTTP server. */
    public static HttpHandler wrap(HttpHandler handler) {
        return exchange -> {
            Headers sent = exchange.getRequestHeaders();
            Visit visit = arrived(sent.getFirst("X-Request-Start"));
            try {
                hold(sent.getFirst("X-Coldbench-Hold-Until"), sent.getFirst("X-Coldbench-Hold-Ms"));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
            handler.handle(new Answer(exchange, visit));
        };
    }

    /** One request's stay in the instance. */
    public static final class Visit {
        private final List<String> metrics;
        private final long atUs;
        private final Optional<Long> receivedUs;

        private Visit(List<String> metrics, long atUs, Optional<Long> receivedUs) {
            this.metrics = metrics;
            this.atUs = atUs;
            this.receivedUs = receivedUs;
        }

        /** The value of the header Server-Timing. */
        public String serverTiming() {
            List<String> parts = new ArrayList<>(metrics);
            parts.add("exec;dur=" + ms(nowUs() - atUs));
            receivedUs.map(received -> atUs - received)
                    .filter(queueUs -> queueUs >= 0 && queueUs < OLDEST_US)
                    .ifPresent(queueUs -> parts.add("queue;dur=" + ms(queueUs)));
            return String.join(", ", parts);
        }
    }

    // The platform's t=1700000000.123456, as nginx's t=${msec} has it; other forms are not read.
    private static Optional<Long> stampUs(String requestStart) {
        boolean known = requestStart != null && requestStart.startsWith("t=");
        return known ? micros(requestStart.substring(2)) : Optional.empty();
    }

    private static Optional<Long> micros(String seconds) {
        return number(seconds).map(value -> Math.round(value * 1e6));
    }

    private static Optional<Double> number(String text) {
        try {
            return Optional.ofNullable(text).map(Double::valueOf).filter(Double::isFinite);
        } catch (NumberFormatException error) {
            return Optional.empty();
        }
    }

    private static String ms(long us) {
        return String.format(Locale.ROOT, "%.3f", us / 1000.0);
    }

    /** The exchange as it was, save that the evidence goes before the answer. */
    private static final class Answer extends HttpExchange {
        private final HttpExchange own;
        private final Visit visit;

        private Answer(HttpExchange own, Visit visit) {
            this.own = own;
            this.visit = visit;
        }

        @Override public void sendResponseHeaders(int status, long length) throws IOException {
            Headers headers = own.getResponseHeaders();
            headers.add("Server-Timing", visit.serverTiming());
            headers.set("Cache-Control", "no-store");
            own.sendResponseHeaders(status, length);
        }

        @Override public Headers getRequestHeaders() { return own.getRequestHeaders(); }
        @Override public Headers getResponseHeaders() { return own.getResponseHeaders(); }
        @Override public URI getRequestURI() { return own.getRequestURI(); }
        @Override public String getRequestMethod() { return own.getRequestMethod(); }
        @Override public HttpContext getHttpContext() { return own.getHttpContext(); }
        @Override public void close() { own.close(); }
        @Override public InputStream getRequestBody() { return own.getRequestBody(); }
        @Override public OutputStream getResponseBody() { return own.getResponseBody(); }
        @Override public InetSocketAddress getRemoteAddress() { return own.getRemoteAddress(); }
        @Override public int getResponseCode() { return own.getResponseCode(); }
        @Override public InetSocketAddress getLocalAddress() { return own.getLocalAddress(); }
        @Override public String getProtocol() { return own.getProtocol(); }
        @Override public Object getAttribute(String name) { return own.getAttribute(name); }
        @Override public void setAttribute(String name, Object value) { own.setAttribute(name, value); }
        @Override public void setStreams(InputStream in, OutputStream out) { own.setStreams(in, out); }
        @Override public HttpPrincipal getPrincipal() { return own.getPrincipal(); }
    }
}
