# A custom runtime: polls the Lambda Runtime API (2018-06-01) and tells the truth about itself.
# Perl with its core modules only, since it is on every Debian and macOS machine.
# All instants are epoch microseconds, so that they compare exactly with the platform's X-Request-Start.
package Runtime;

use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes ();

my $HOLD_AT_MOST_S = 10;
my $imported_us = now_us();
my ($seq, $instance, $ended_us, @spans) = (0, undef, 0);

sub now_us { return int(Time::HiRes::time() * 1_000_000 + 0.5) }

sub from_seconds {
    my ($whole, $part) = split /\./, shift;
    return $whole * 1_000_000 + substr(($part // '') . '000000', 0, 6);
}

sub ms { return sprintf '%.3f', $_[0] / 1000 }

# A named part of the init that began then and ends now.
sub span { my ($name, $began_us) = @_; push @spans, "init-$name;dur=" . ms(now_us() - $began_us) }

# run($handler): $handler->($method, $path, $body) returns (status, value).
sub run {
    my $handler = shift;
    my $json = JSON::PP->new->utf8->canonical;
    my $api = IO::Socket::INET->new(PeerAddr => $ENV{AWS_LAMBDA_RUNTIME_API}, Proto => 'tcp')
        or die "no runtime API at $ENV{AWS_LAMBDA_RUNTIME_API}: $!\n";
    init_ended();
    while (1) {
        my ($headers, $event) = request($api, 'GET', 'invocation/next');
        my $at_us = now_us();
        my $call = $json->decode($event);
        my $id = $headers->{'lambda-runtime-aws-request-id'};
        my $http = $call->{requestContext}{http};
        $seq++;
        $instance //= uuid();    # lazily: a restored copy makes its own
        hold($call->{headers});
        my ($status, $value) = $handler->($http->{method}, $http->{path}, $call->{body});
        my %answer = (
            statusCode => $status,
            headers => {
                'Content-Type' => 'application/json',
                'Cache-Control' => 'no-store',
                'Server-Timing' => server_timing($at_us, $call->{headers}{'x-request-start'}),
            },
            body => JSON::PP->new->canonical->encode($value),
        );
        request($api, 'POST', "invocation/$id/response", $json->encode(\%answer));
    }
}

# Says so to a platform that listens, once everything that runs before the first request has run.
sub init_ended {
    $ended_us = now_us();
    my $path = delete $ENV{COLDBENCH_READY} or return;
    open my $ready, '>', $path or return;
    printf {$ready} "READY %d.%06d\n", $ended_us / 1_000_000, $ended_us % 1_000_000;
    close $ready;
}

sub server_timing {
    my ($at_us, $start) = @_;
    my $process = $ENV{COLDBENCH_PROCESS_STARTED};
    my $began_us = $process ? from_seconds($process) : $imported_us;
    my $from = $process ? 'process' : 'import';
    my @parts = ("init;dur=" . ms($ended_us - $began_us) . ";desc=\"$from\"", @spans);
    push @parts, 'age;dur=' . ms($at_us - $ended_us), "seq;desc=\"$seq\"", "inst;desc=\"$instance\"";
    push @parts, 'exec;dur=' . ms(now_us() - $at_us);
    if (defined $start) {
        my $queue_us = $at_us - from_seconds(substr $start, 2);
        push @parts, 'queue;dur=' . ms($queue_us > 0 ? $queue_us : 0);
    }
    return join ', ', @parts;
}

# Keep the instance busy as asked, where its owner allows that.
sub hold {
    my $headers = shift;
    return unless ($ENV{COLDBENCH_HOLD} // '') eq '1';
    my $until = $headers->{'x-coldbench-hold-until'};
    my $wait_s = $until ? $until / 1000 - Time::HiRes::time() : ($headers->{'x-coldbench-hold-ms'} // 0) / 1000;
    Time::HiRes::sleep($wait_s < $HOLD_AT_MOST_S ? $wait_s : $HOLD_AT_MOST_S) if $wait_s > 0;
}

sub request {
    my ($api, $method, $path, $body) = @_;
    $body //= '';
    print {$api} "$method /2018-06-01/runtime/$path HTTP/1.1\r\nHost: $ENV{AWS_LAMBDA_RUNTIME_API}\r\n"
        . "Content-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    $api->flush;
    my $status = <$api>;
    exit 0 unless defined $status;    # the platform is gone
    my %headers;
    while (defined(my $line = <$api>)) {
        $line =~ s/\r?\n\z//;
        last if $line eq '';
        my ($name, $value) = split /:\s*/, $line, 2;
        $headers{lc $name} = $value;
    }
    my $answer = '';
    read $api, $answer, $headers{'content-length'} // 0;
    return (\%headers, $answer);
}

sub uuid {
    open my $random, '<:raw', '/dev/urandom' or die "no /dev/urandom: $!\n";
    read $random, my $bytes, 16;
    my $hex = unpack 'H*', $bytes;
    return join '-', substr($hex, 0, 8), substr($hex, 8, 4), '4' . substr($hex, 13, 3), substr($hex, 16, 4), substr($hex, 20);
}

1;
