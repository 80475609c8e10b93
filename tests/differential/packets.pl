# Sends the flows of the differential test as real packets and reports what became of each: who answered, whom the other side saw, and which rules of the
# kernel looked at the packets on their way (nft's own trace). One process for all machines, because a socket stays in the network namespace it was made in.
# Perl's smallest installation is enough: no module beyond Socket, Fcntl and Errno; system calls and netlink by number.
#
# Lines on stdin, lines on stdout, fields separated by tabs:
#   observe NAME…                      traces the namespaces /run/netns/NAME and the own one (`core`), reads their rules    → observed COUNT
#   flow ID NS PROTO FROM TO PORT ANSWER-FROM EXPECT   to be sent with the next `go`; ID is the source port or echo identifier; EXPECT: answer or silence
#   go PATIENCE-MS                     sends them all      → result ID ANSWER SEEN PATH for each, then `done LOST`
# SEEN is `SOURCE>DESTINATION` at the other end. PATH is `LEG;NAME;RULE=VERDICT;…|…`, a packet in a namespace each; RULE is the rule's comment, `@CHAIN` for a policy
# and `#CHAIN` for a rule without one; `>` says that the packet found a route to somewhere else. LOST: traces that the kernel threw away, so paths may lack something.
use strict; use warnings;
use Socket qw(:all); use Fcntl qw(F_SETFL O_NONBLOCK); use Errno qw(EINPROGRESS EAGAIN ENOBUFS);
$| = 1; $SIG{PIPE} = 'IGNORE';

my ($machine, @names) = @ARGV;
# setns and unshare have numbers of their own on each architecture (asm/unistd.h).
my %numbers = (x64 => [308, 272], arm64 => [268, 97], riscv64 => [268, 97], loong64 => [268, 97], ppc64 => [350, 282], s390x => [339, 303]);
my ($setns, $unshare) = @{ $numbers{$machine} or die "no system call numbers for $machine" };
my $newNetwork = 0x40000000;
my @ports = (22, 53, 80, 443, 8080);
my @resolvers = qw(240.240.0.1);

# ---- machines: a namespace each, with a process in it that does nothing

my (%namespace, %pids);
open my $own, '<', '/proc/self/ns/net' or die "own namespace: $!";
$namespace{core} = $own;
for my $name (@names) {
  pipe my $ready, my $told or die $!;
  my $pid = fork // die "fork: $!";
  if ($pid == 0) {
    close $ready;
    syscall($unshare, $newNetwork) == 0 or die "unshare: $!";
    # Any of them may be a middlebox, and none may wait for duplicate address detection.
    my %values = ('ipv4/ip_forward' => 1, 'ipv4/conf/all/rp_filter' => 0, 'ipv4/conf/default/rp_filter' => 0, 'ipv4/conf/all/send_redirects' => 0,
      'ipv4/conf/default/send_redirects' => 0, 'ipv4/conf/all/accept_redirects' => 0, 'ipv4/conf/default/accept_redirects' => 0,
      'ipv6/conf/all/forwarding' => 1, 'ipv6/conf/default/forwarding' => 1, 'ipv6/conf/default/accept_dad' => 0, 'ipv6/conf/default/dad_transmits' => 0,
      'ipv6/conf/all/accept_redirects' => 0, 'ipv6/conf/default/accept_redirects' => 0);
    for my $path (sort keys %values) { if (open my $file, '>', "/proc/sys/net/$path") { print $file $values{$path}; close $file } }
    system 'ip link set lo up';
    print $told "x"; close $told;
    close STDIN; close STDOUT;
    $SIG{TERM} = sub { exit 0 };
    sleep 1 while getppid() != 1;
    exit 0;
  }
  close $told;
  sysread $ready, my $byte, 1 or die "machine $name did not start";
  open $namespace{$name}, '<', "/proc/$pid/ns/net" or die "namespace of $name: $!";
  $pids{$name} = $pid;
}

my $here = 'core';
sub enter {
  my ($name) = @_;
  return if $here eq $name;
  syscall($setns, fileno $namespace{$name}, $newNetwork) == 0 or die "setns $name: $!";
  $here = $name;
}

# ---- sockets; %on says what to do when one is readable

my (%on, %flow);
sub is6 { $_[0] =~ /:/ }
sub address { my ($ip, $port) = @_; is6($ip) ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $ip)) : pack_sockaddr_in($port, inet_aton($ip)) }
sub text { my ($name) = @_; return '' if !$name;
  return sockaddr_family($name) == AF_INET6 ? inet_ntop(AF_INET6, (unpack_sockaddr_in6($name))[1]) : inet_ntoa((unpack_sockaddr_in($name))[1]) }
sub port { my ($name) = @_; return sockaddr_family($name) == AF_INET6 ? (unpack_sockaddr_in6($name))[0] : (unpack_sockaddr_in($name))[0] }
sub make {
  my ($family, $type, $protocol) = @_;
  socket my $socket, $family, $type, $protocol or die "socket: $!";
  fcntl $socket, F_SETFL, O_NONBLOCK;
  return $socket;
}
my $IPV6_V6ONLY = 26;
# IP_TRANSPARENT: who sends may pretend to be another.
sub pretending { my ($socket, $ip) = @_; setsockopt $socket, is6($ip) ? 41 : 0, is6($ip) ? 75 : 19, 1 }
sub bound {
  my ($ip, $port, $type) = @_;
  my $socket = make(is6($ip) ? PF_INET6 : PF_INET, $type, 0);
  pretending($socket, $ip) if $port >= 20000;
  setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1;
  setsockopt $socket, 41, $IPV6_V6ONLY, 1 if is6($ip);
  bind $socket, address($ip, $port) or return undef;
  return $socket;
}
my @accepted;
sub seen { my ($id, $source, $destination) = @_; $flow{$id}{seen} = "$source>$destination" if $flow{$id} && !$flow{$id}{seen} }

sub listenOn {
  my ($name, $ip, $port) = @_;
  my $tcp = bound($ip, $port, SOCK_STREAM) or die "$name tcp $ip $port: $!";
  listen $tcp, 256;
  $on{fileno $tcp} = [$tcp, sub {
    while (my $peer = accept my $socket, $tcp) { push @accepted, $socket; seen(port($peer), text($peer), text(getsockname $socket)) }
  }];
  my $udp = bound($ip, $port, SOCK_DGRAM) or die "$name udp $ip $port: $!";
  $on{fileno $udp} = [$udp, sub {
    while (my $peer = recv $udp, my $data, 64, 0) {
      my ($id, $from) = split / /, $data;
      seen($id, text($peer), $from);
      # From the address that was asked, whichever of the machine's it is.
      enter($name);
      my $socket = bound($from, $port, SOCK_DGRAM) or next;
      send $socket, $data, 0, $peer;
      close $socket;
    }
  }];
}

# Echo requests are answered by the kernel; a raw socket sees both the request, where it arrives, and the reply, where it began.
my (%echo, %echo6);
sub listenEcho {
  my ($name) = @_;
  my $four = $echo{$name} = make(PF_INET, SOCK_RAW, 1);
  $on{fileno $four} = [$four, sub {
    while (my $peer = recv $four, my $data, 256, 0) {
      my $length = (ord($data) & 15) * 4;
      my ($type, $code, $sum, $id) = unpack 'CCnn', substr $data, $length;
      if ($type == 8) { seen($id, text($peer), inet_ntoa(substr $data, 16, 4)) }
      elsif ($type == 0 && $flow{$id} && $flow{$id}{ns} eq $name) { $flow{$id}{answer} //= 'open' }
    }
  }];
  my $six = $echo6{$name} = make(PF_INET6, SOCK_RAW, 58);
  $on{fileno $six} = [$six, sub {
    while (my $peer = recv $six, my $data, 256, 0) {
      my ($type, $code, $sum, $id) = unpack 'CCnn', $data;
      if ($type == 128) { seen($id, text($peer), '') }
      elsif ($type == 129 && $flow{$id} && $flow{$id}{ns} eq $name) { $flow{$id}{answer} //= 'open' }
    }
  }];
}
sub sum { my ($data) = @_; my $sum = 0; $sum += $_ for unpack 'n*', $data; $sum = ($sum & 0xffff) + ($sum >> 16) for 1, 2; return ~$sum & 0xffff }

for my $name ('core', @names) {
  enter($name);
  for my $port (@ports) { listenOn($name, $_, $port) for '0.0.0.0', '::' }
  listenEcho($name);
}

# ---- the kernel's trace: netlink messages of nf_tables (linux/netfilter/nf_tables.h)

my ($getRule, $newRule, $trace) = map { 10 << 8 | $_ } 7, 6, 17;
my (%tracer, %rules, %inode, %packet, $lost);
sub attributes {
  my ($data) = @_;
  my (%found, $at);
  for ($at = 0; $at + 4 <= length $data;) {
    my ($length, $type) = unpack 'SS', substr $data, $at, 4;
    last if $length < 4;
    $found{$type & 0x3fff} = substr $data, $at + 4, $length - 4;
    $at += ($length + 3) & ~3;
  }
  return \%found;
}
sub messages {
  my ($data, $take) = @_;
  for (my $at = 0; $at + 16 <= length $data;) {
    my ($length, $type) = unpack 'LS', substr $data, $at, 6;
    last if $length < 16;
    $take->($type, ord(substr $data, $at + 16, 1), substr $data, $at + 20, $length - 20) if $type > 15;
    return 1 if $type == 3;
    $at += ($length + 3) & ~3;
  }
  return 0;
}
my $follow = <<'END';
add table inet follow
delete table inet follow
table inet follow {
  chain packets {
    type filter hook prerouting priority -500; policy accept;
    tcp flags & syn == syn meta nftrace set 1
    meta l4proto udp meta nftrace set 1
    icmp type { echo-request, echo-reply } meta nftrace set 1
    icmpv6 type { echo-request, echo-reply } meta nftrace set 1
  }
}
END
sub readRules {
  my ($name) = @_;
  my $socket = make(16, SOCK_RAW, 12);
  fcntl $socket, F_SETFL, 0;
  send $socket, pack('LSSLL CCn', 20, $getRule, 0x301, 1, 0, 0, 0, 0), 0 or die "dump: $!";
  my %found;
  while (defined recv $socket, my $data, 1 << 17, 0) {
    last if messages($data, sub {
      my ($type, $family, $body) = @_;
      return if $type != $newRule;
      my $rule = attributes($body);
      my $comment = '';
      if (defined $rule->{7}) { my ($kind, $length) = unpack 'CC', $rule->{7}; $comment = unpack 'Z*', substr $rule->{7}, 2, $length if $kind == 0 }
      $found{join ' ', $family, unpack('Z*', $rule->{1}), unpack 'Q>', $rule->{3}} = $comment;
    });
  }
  $rules{$name} = \%found;
}
sub observe {
  my ($name) = @_;
  if ($name ne 'core') {
    open my $file, '<', "/run/netns/$name" or return 0;
    my $now = join ' ', (stat $file)[0, 1];
    if (($inode{$name} // '') ne $now) {
      # Another namespace of the same name, or the first.
      delete $on{fileno $tracer{$name}} if $tracer{$name};
      delete $tracer{$name};
      ($namespace{$name}, $inode{$name}) = ($file, $now);
    }
  }
  enter($name);
  if (!$tracer{$name}) {
    open my $nft, '|-', 'nft', '-f', '-' or die "nft: $!";
    print $nft $follow;
    close $nft or die "nft refused the trace in $name";
    my $socket = $tracer{$name} = make(16, SOCK_RAW, 12);
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', 1 << 22;
    # Bound, for a socket without a number of its own is taken for the kernel's.
    bind $socket, pack('SSLL', 16, 0, 0, 0) or die "bind: $!";
    setsockopt $socket, 270, 1, pack('i', 9) or die "trace group: $!";
    $on{fileno $socket} = [$socket, sub { drain($name) }];
  }
  readRules($name);
  return 1;
}
sub drain {
  my ($name) = @_;
  while (1) {
    my $ok = recv $tracer{$name}, my $data, 1 << 16, 0;
    if (!defined $ok) { if ($! == ENOBUFS) { $lost += 1; next } last }
    messages($data, sub { traced($name, @_) });
  }
}
my %verdicts = (0 => 'drop', 1 => 'accept');
sub traced {
  my ($name, $type, $family, $body) = @_;
  return if $type != $trace;
  my $found = attributes($body);
  my $id = unpack 'N', $found->{6};
  my $known = $packet{$name}{$id};
  if (defined $found->{8} && defined $found->{9}) {
    my ($number, $leg) = flowOf($found->{8}, $found->{9});
    if (!$known || $known->{number} != $number || $known->{leg} ne $leg) {
      $known = $packet{$name}{$id} = { number => $number, leg => $leg, entries => ["$leg;$name"] };
      push @{ $flow{$number}{path} }, $known->{entries} if $flow{$number};
    }
  }
  return if !$known;
  my $kind = unpack 'N', $found->{4};
  my $chain = unpack 'Z*', $found->{2} // '';
  my $table = unpack 'Z*', $found->{1} // '';
  return if $table eq 'follow';
  my ($code, $entry);
  if ($kind == 1) { ($code, $entry) = (unpack('N', $found->{16} // pack 'N', 1), "\@$chain") }
  elsif ($kind == 3 && defined $found->{3}) {
    my $verdict = attributes($found->{5} // '');
    $code = unpack 'N', $verdict->{1} // pack 'N', 99;
    my $comment = $rules{$name}{join ' ', $family, $table, unpack 'Q>', $found->{3}} // '?';
    $entry = $comment ne '' ? $comment : exists $verdicts{$code} ? "#$chain" : undef;
  }
  # Only what has a way out is in the hooks behind the route's choice.
  if (defined $found->{12} && !$known->{out}) { $known->{out} = 1; push @{ $known->{entries} }, '>=next' }
  return if !defined $entry;
  push @{ $known->{entries} }, $entry . '=' . ($verdicts{$code} // 'next');
  $flow{ $known->{number} }{dropped} = 1 if $code == 0 && $flow{ $known->{number} };
}
# Flows have numbers above those of services, so the larger port is the flow's.
sub flowOf {
  my ($network, $transport) = @_;
  my $protocol = (ord($network) >> 4) == 4 ? ord substr $network, 9, 1 : ord substr $network, 6, 1;
  my ($first, $second, $third) = unpack 'nnn', $transport . "\0" x 6;
  if ($protocol == 6 || $protocol == 17) { return $first > $second ? ($first, 'forward') : ($second, 'return') }
  my $type = $first >> 8;
  return ($third, $type == 8 || $type == 128 ? 'forward' : 'return');
}

# ---- sending

my @queue;
sub begin {
  my ($id) = @_;
  my $one = $flow{$id};
  my ($from, $to, $protocol) = @$one{qw(from to protocol)};
  enter($one->{ns});
  if ($protocol eq 'icmp') {
    my $six = is6($to);
    my $socket = make($six ? PF_INET6 : PF_INET, SOCK_RAW, $six ? 58 : 1);
    pretending($socket, $from);
    bind $socket, address($from, 0) or return $one->{answer} = "error $!";
    my $data = pack 'CCnnn', $six ? 128 : 8, 0, 0, $id, 1;
    substr($data, 2, 2) = pack 'n', sum($data) if !$six;
    send $socket, $data, 0, address($to, 0) or $one->{answer} = "error $!";
    close $socket;
    return;
  }
  my $socket = bound($from, $id, $protocol eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM) or return $one->{answer} = "error $!";
  $one->{socket} = $socket;
  my $connected = connect $socket, address($to, $one->{port});
  return $one->{answer} = "error $!" if !$connected && $! != EINPROGRESS;
  send $socket, "$id $one->{answerFrom}", 0 if $protocol eq 'udp';
}
sub look {
  my ($one) = @_;
  return if defined $one->{answer} || !$one->{socket};
  my ($vector, $error) = ('', 0);
  if ($one->{protocol} eq 'udp') {
    my $data = '';
    if (defined recv $one->{socket}, $data, 64, 0) { $one->{answer} = 'open' }
    elsif ($! != EAGAIN) { $one->{answer} = "error $!" }
    return;
  }
  vec($vector, fileno $one->{socket}, 1) = 1;
  select undef, $vector, undef, 0 or return;
  $error = unpack 'i', getsockopt $one->{socket}, SOL_SOCKET, SO_ERROR;
  local $! = $error;
  $one->{answer} = $error == 0 ? 'open' : "error $!";
}
sub turn {
  my ($seconds) = @_;
  my $vector = '';
  vec($vector, $_, 1) = 1 for keys %on;
  vec($vector, fileno $_->{socket}, 1) = 1 for grep { $_->{socket} && !defined $_->{answer} && $_->{protocol} eq 'udp' } values %flow;
  my $writing = '';
  vec($writing, fileno $_->{socket}, 1) = 1 for grep { $_->{socket} && !defined $_->{answer} && $_->{protocol} eq 'tcp' } values %flow;
  my $count = select my $ready = $vector, my $written = $writing, undef, $seconds;
  return if $count <= 0;
  for my $number (keys %on) { $on{$number}[1]->() if vec $ready, $number, 1 }
  look($_) for values %flow;
}
sub go {
  my ($patienceMs) = @_;
  $lost = 0;
  for my $id (@queue) {
    begin($id);
    turn(0);
  }
  # In turns of a few milliseconds: what is dropped in silence costs a few of them, what should answer and does not costs the patience.
  my ($waited, $silenceMs) = (0, 30);
  while ($waited < $patienceMs) {
    my @open = grep { !defined $_->{answer} && !$_->{dropped} } values %flow;
    last if !grep { $_->{expect} ne 'silence' || $waited < $silenceMs } @open;
    my $before = uptimeMs();
    turn(0.005);
    $waited += uptimeMs() - $before;
  }
  turn(0);
  for my $id (@queue) {
    my $one = $flow{$id};
    my $path = join '|', map { join ';', @$_ } @{ $one->{path} // [] };
    print join("\t", 'result', $id, $one->{answer} // 'nothing', $one->{seen} // '', $path), "\n";
  }
  my $linger = pack 'ii', 1, 0;
  for my $socket ((map { $_->{socket} // () } values %flow), @accepted) { setsockopt $socket, SOL_SOCKET, SO_LINGER, $linger; close $socket }
  (@accepted, @queue, %flow, %packet) = ();
  print "done\t$lost\n";
}
# Time::HiRes is not in the smallest Perl; hundredths of a second will do.
sub uptimeMs { open my $file, '<', '/proc/uptime' or return 0; my ($seconds) = split / /, scalar <$file>; return $seconds * 1000 }

print join("\t", 'ready', map { "$_=$pids{$_}" } @names), "\n";
while (my $line = <STDIN>) {
  chomp $line;
  my ($verb, @words) = split /\t/, $line;
  if ($verb eq 'observe') { my $count = 0; $count += observe($_) for 'core', @words; print "observed\t$count\n" }
  elsif ($verb eq 'flow') {
    my ($id, $ns, $protocol, $from, $to, $port, $answerFrom, $expect) = @words;
    push @queue, $id;
    $flow{$id} = { ns => $ns, protocol => $protocol, from => $from, to => $to, port => $port, answerFrom => $answerFrom, expect => $expect };
  }
  elsif ($verb eq 'go') { go(@words) }
}
kill 'KILL', values %pids;
