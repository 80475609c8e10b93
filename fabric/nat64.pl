#!/usr/bin/perl
# The NAT64 of one NAT gateway: turns IPv6 packets for 64:ff9b::/96 into IPv4 ones and their replies back, header by header (RFC 7915). It keeps no flows:
# each IPv6 address stands under an IPv4 one of 240.0.0.0/5 that nothing else has there, and the kernel's own NAT behind it does with those what it does with
# IPv4 clients. Why packet sockets and why Perl: docs/decisions/0030.
#
#   perl nat64.pl GATEWAY-DEVICE ROUTER-MAC FAR-DEVICE NEAR-MAC
#
# IPv6 comes and goes by GATEWAY-DEVICE, the gateway's link to its router; IPv4 by FAR-DEVICE, one end of a pair whose other end the kernel routes by.
# Prints `ready` when both are open. Ends with its namespace's links, or when it is killed.
#
# Frames come with a virtio_net_hdr before them, as the kernel keeps them: up to 64 kB that are cut into packets only by the last device of the way, with
# checksums that are not finished. So a large transfer costs a step for each of those and none for each packet.
use strict;
use warnings;

use constant {
  AF_PACKET => 17, SOCK_RAW => 3, SOL_PACKET => 263, PACKET_VNET_HDR => 15, SIOCGIFINDEX => 0x8933, SIOCGIFHWADDR => 0x8927,
  ETH_P_IP => 0x0800, ETH_P_IPV6 => 0x86dd, VNET_BYTES => 10, FRAME_BYTES => 14, LARGEST => 70_000,
  NEEDS_CHECKSUM => 1, GSO_TCPV4 => 1, GSO_TCPV6 => 4,
  ICMP => 1, TCP => 6, UDP => 17, ICMPV6 => 58, FRAGMENT => 44,
  # More clients than a VPC has interfaces.
  MOST_CLIENTS => 65_536,
};
my $prefix = pack('H24', '0064ff9b' . '0' x 16);

# ---- sockets

sub device {
  my ($name, $protocol) = @_;
  socket(my $socket, AF_PACKET, SOCK_RAW, 0) or die "no packet socket: $!\n";
  my $index = unpack('x16 i', asked($socket, SIOCGIFINDEX, $name));
  my $mac = unpack('x18 a6', asked($socket, SIOCGIFHWADDR, $name));
  setsockopt($socket, SOL_PACKET, PACKET_VNET_HDR, pack('i', 1)) or die "no offload headers: $!\n";
  # Bound to one protocol, a socket sees what arrives and not what leaves.
  bind($socket, pack('S n i S C C a8', AF_PACKET, $protocol, $index, 0, 0, 0, '')) or die "$name cannot be opened: $!\n";
  return ($socket, $mac);
}

sub asked {
  my ($socket, $request, $name) = @_;
  my $answer = pack('a16 x24', $name);
  ioctl($socket, $request, $answer) or die "there is no $name: $!\n";
  return $answer;
}

sub mac_bytes { return pack('H12', $_[0] =~ tr/://dr) }

my $packet = '';

sub receive {
  my ($socket) = @_;
  my $length = sysread($socket, $packet, LARGEST);
  return $length > VNET_BYTES + FRAME_BYTES if defined $length;
  return 0 if $!{EINTR} || $!{EAGAIN} || $!{ENOBUFS};
  die "the link is gone: $!\n";
}

# The packet in `$packet` as its translation, or nothing where it has none. What cannot be sent is lost, as on any link.
sub forward {
  my ($socket, $frame, $translate) = @_;
  my ($flags, $gso, undef, $size, $start, $offset) = unpack('C2 v4', $packet);
  my %offload = (partial => $flags & NEEDS_CHECKSUM, gso => $gso);
  my $out = $translate->(substr($packet, VNET_BYTES + FRAME_BYTES), \%offload);
  return unless defined $out;
  my $head = pack('x10');
  if ($offload{partial}) {
    $start = FRAME_BYTES + $offload{header};
    # What is sent names the bytes that every segment begins with; a TCP header with its options, or UDP's.
    my $transport = $offload{tcp} ? 4 * (ord(substr($out, $offload{header} + 12, 1)) >> 4) : 8;
    $head = pack('C2 v4', NEEDS_CHECKSUM, $offload{gso}, $start + $transport, $size, $start, $offset);
  }
  syswrite($socket, $head . $frame . $out);
}

# ---- addresses

my (%four_of, %six_of);

# The same address has the same number again after a restart, so that the kernel's flows go on; only what came to a place that was taken may move.
sub client_four {
  my ($address) = @_;
  return $four_of{$address} if exists $four_of{$address};
  # Whoever sends again is known again.
  if (keys %four_of >= MOST_CLIENTS) { %four_of = (); %six_of = () }
  my (undef, $b, $c, $d) = unpack('N4', $address);
  my $number;
  { use integer; $number = ($b * 0x9e3779b1 + $c * 0x85ebca77 + $d * 0xc2b2ae3d) >> 7 & 0x7ffffff }
  $number = $number + 1 & 0x7ffffff while exists $six_of{pack('N', 0xf0000000 + $number)};
  my $client = pack('N', 0xf0000000 + $number);
  $six_of{$client} = $address;
  return $four_of{$address} = $client;
}

sub four { return substr($_[0], 0, 12) eq $prefix ? substr($_[0], 12) : client_four($_[0]) }
sub six { return $six_of{$_[0]} // $prefix . $_[0] }

# ---- headers

sub fold {
  my ($sum) = @_;
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  return $sum;
}
sub sum { return unpack('%32n*', length($_[0]) % 2 ? "$_[0]\0" : $_[0]) }
sub complement { return ~fold($_[0]) & 0xffff }

sub four_header {
  my ($class, $length, $id, $fragment, $ttl, $protocol, $source, $destination) = @_;
  my $header = pack('C2 n3 C2 n a4 a4', 0x45, $class, $length + 20, $id, $fragment, $ttl, $protocol, 0, $source, $destination);
  substr($header, 10, 2) = pack('n', complement(sum($header)));
  return $header;
}

sub six_header {
  my ($class, $length, $next, $limit, $source, $destination) = @_;
  return pack('N n C2 a16 a16', 0x60000000 | $class << 20, $length, $next, $limit, $source, $destination);
}

# The transport's checksum holds the addresses: it follows them. Undefined for a UDP packet that has none.
sub with_addresses {
  my ($protocol, $payload, $old, $new, $partial) = @_;
  my $at = $protocol == TCP ? 16 : 6;
  return $payload if length($payload) < $at + 2;
  my $checksum = unpack('n', substr($payload, $at, 2));
  return if $protocol == UDP && $checksum == 0 && !$partial;
  my $difference = sum($new) + 0xffff * 16 - sum($old);
  if ($partial) { $checksum = fold($checksum + $difference) }
  else { $checksum = complement((~$checksum & 0xffff) + $difference) || 0xffff }
  substr($payload, $at, 2) = pack('n', $checksum);
  return $payload;
}

# ---- IPv6 to IPv4

sub to_four {
  my ($in, $offload) = @_;
  return if length($in) < 40;
  my ($first, $length, $next, $limit, $source, $destination) = unpack('N n C2 a16 a16', $in);
  return if $first >> 28 != 6 || substr($destination, 0, 12) ne $prefix;
  my ($at, $id, $fragment) = (40, 0, 0x4000);
  if ($next == FRAGMENT) {
    return if length($in) < 48;
    ($next, my $place, my $number) = unpack('C x n N', substr($in, 40, 8));
    ($at, $id, $fragment) = (48, $number & 0xffff, $place >> 3 | ($place & 1) << 13);
  }
  my $payload = substr($in, $at, 40 + $length - $at);
  my ($from, $to) = (client_four($source), four($destination));
  my $is_first = ($fragment & 0x1fff) == 0;
  if ($next == ICMPV6) {
    return if $at != 40;
    ($payload, $next, $offload->{partial}) = (scalar icmp_to_four($payload), ICMP, 0);
  } elsif ($next != TCP && $next != UDP) { return }
  elsif ($is_first) { $payload = with_addresses($next, $payload, $source . $destination, $from . $to, $offload->{partial}) }
  return unless defined $payload;
  @$offload{qw(header tcp)} = (20, $next == TCP);
  $offload->{gso} += GSO_TCPV4 - GSO_TCPV6 if ($offload->{gso} & 0x7f) == GSO_TCPV6;
  return four_header($first >> 20 & 0xff, length($payload), $id, $fragment, $limit, $next, $from, $to) . $payload;
}

# Type and code by the other family's (RFC 7915, 4.2 and 5.2).
my %six_unreachable = (0 => [3, 1], 1 => [3, 10], 2 => [3, 1], 3 => [3, 1], 4 => [3, 3]);
my %four_unreachable = ((map { $_ => [1, 0] } 0, 1, 5 .. 8, 11, 12), (map { $_ => [1, 1] } 9, 10, 13, 15), 3 => [1, 4]);

sub icmp_to_four {
  my ($in) = @_;
  return if length($in) < 8;
  my ($type, $code, $rest, $data) = unpack('C2 x2 a4 a*', $in);
  return icmp($type == 128 ? 8 : 0, $code, $rest, $data) if $type == 128 || $type == 129;
  my $inner = inner_four($data);
  return unless defined $inner;
  return icmp(3, 4, pack('x2 n', least(unpack('N', $rest) - 20, 0xffff)), $inner) if $type == 2;
  return icmp(11, $code, pack('x4'), $inner) if $type == 3;
  my $error = $type == 1 ? $six_unreachable{$code} : $type == 4 && $code == 1 ? [3, 2] : undef;
  return defined $error ? icmp(@$error, pack('x4'), $inner) : undef;
}

sub icmp {
  my ($type, $code, $rest, $data) = @_;
  my $message = pack('C2 x2 a4', $type, $code, $rest) . $data;
  substr($message, 2, 2) = pack('n', complement(sum($message)));
  return $message;
}

# What an error quotes is a packet of the other direction; its end may be cut off, and nobody looks at its checksums.
sub inner_four {
  my ($in) = @_;
  return if length($in) < 48;
  my ($first, $length, $next, $limit, $source, $destination) = unpack('N n C2 a16 a16', $in);
  return if $next == FRAGMENT;
  my $payload = substr($in, 40);
  if ($next == ICMPV6) { ($next, $payload) = (ICMP, echo($payload, 128 => 8, 129 => 0)) }
  return unless defined $payload;
  return four_header($first >> 20 & 0xff, $length, 0, 0x4000, $limit, $next, four($source), four($destination)) . $payload;
}

sub echo {
  my ($payload, %types) = @_;
  my $type = $types{ord $payload};
  return defined $type ? chr($type) . substr($payload, 1) : undef;
}

# ---- IPv4 to IPv6

sub to_six {
  my ($in, $offload) = @_;
  return if length($in) < 20;
  my ($version, $class, $total, $id, $fragment, $limit, $protocol, $from, $to) = unpack('C2 n3 C2 x2 a4 a4', $in);
  return unless exists $six_of{$to};
  my $header = 4 * ($version & 15);
  my $payload = substr($in, $header, $total - $header);
  my ($source, $destination) = ($prefix . $from, $six_of{$to});
  my ($is_fragment, $is_first) = ($fragment & 0x3fff, ($fragment & 0x1fff) == 0);
  my $next = $protocol;
  if ($protocol == ICMP) {
    return if $is_fragment;
    ($payload, $next, $offload->{partial}) = (scalar icmp_to_six($payload, $source, $destination), ICMPV6, 0);
  } elsif ($protocol != TCP && $protocol != UDP) { return }
  elsif ($is_first) {
    my $changed = with_addresses($protocol, $payload, $from . $to, $source . $destination, $offload->{partial});
    # IPv6 has no UDP without a checksum, and that of a fragment cannot be made.
    $payload = defined $changed || $is_fragment ? $changed : with_checksum($payload, $source, $destination);
  }
  return unless defined $payload;
  my $extension = $is_fragment ? pack('C x n N', $next, ($fragment & 0x1fff) << 3 | $fragment >> 13 & 1, $id) : '';
  @$offload{qw(header tcp)} = (40, $protocol == TCP);
  $offload->{gso} += GSO_TCPV6 - GSO_TCPV4 if ($offload->{gso} & 0x7f) == GSO_TCPV4;
  my $first = six_header($class, length($extension . $payload), $is_fragment ? FRAGMENT : $next, $limit, $source, $destination);
  return $first . $extension . $payload;
}

sub with_checksum {
  my ($payload, $source, $destination) = @_;
  substr($payload, 6, 2) = pack('n', 0);
  my $checksum = complement(sum($payload) + sum($source . $destination) + length($payload) + UDP) || 0xffff;
  substr($payload, 6, 2) = pack('n', $checksum);
  return $payload;
}

sub icmp_to_six {
  my ($in, $source, $destination) = @_;
  return if length($in) < 8;
  my ($type, $code, $rest, $data) = unpack('C2 x2 a4 a*', $in);
  my $answer = sub {
    my ($type6, $code6, $rest6, $data6) = @_;
    # An error is no larger than the smallest packet that every way takes (RFC 4443, 2.4).
    $data6 = substr($data6, 0, 1280 - 48) if $type6 < 128;
    my $message = pack('C2 x2 a4', $type6, $code6, $rest6) . $data6;
    substr($message, 2, 2) = pack('n', complement(sum($message) + sum($source . $destination) + length($message) + ICMPV6));
    return $message;
  };
  return $answer->($type == 8 ? 128 : 129, $code, $rest, $data) if $type == 8 || $type == 0;
  my $inner = inner_six($data);
  return unless defined $inner;
  if ($type == 3 && $code == 4) {
    my $mtu = unpack('x2 n', $rest);
    return $answer->(2, 0, pack('N', $mtu + 20 < 1280 ? 1280 : $mtu + 20), $inner);
  }
  return $answer->(3, $code, pack('x4'), $inner) if $type == 11;
  # The next header of what it quotes is at its seventh byte.
  return $answer->(4, 1, pack('N', 6), $inner) if $type == 3 && $code == 2;
  my $error = $type == 3 ? $four_unreachable{$code} : undef;
  return defined $error ? $answer->(@$error, pack('x4'), $inner) : undef;
}

sub inner_six {
  my ($in) = @_;
  return if length($in) < 28;
  my ($version, $class, $total, $fragment, $limit, $next, $from, $to) = unpack('C2 n x2 n C2 x2 a4 a4', $in);
  return if $fragment & 0x3fff;
  my $header = 4 * ($version & 15);
  my $payload = substr($in, $header);
  if ($next == ICMP) { ($next, $payload) = (ICMPV6, echo($payload, 8 => 128, 0 => 129)) }
  return unless defined $payload;
  return six_header($class, $total - $header, $next, $limit, six($from), six($to)) . $payload;
}

sub least { return $_[0] < $_[1] ? $_[0] : $_[1] }

# ---- what it does, behind the tables that it needs

my ($gateway_device, $router_mac, $far_device, $near_mac) = @ARGV;
my ($six, $six_mac) = device($gateway_device, ETH_P_IPV6);
my ($four, $far_mac) = device($far_device, ETH_P_IP);
my $to_router = mac_bytes($router_mac) . $six_mac . pack('n', ETH_P_IPV6);
my $to_kernel = mac_bytes($near_mac) . $far_mac . pack('n', ETH_P_IP);

$| = 1;
print "ready\n";

my $want = '';
vec($want, fileno($six), 1) = 1;
vec($want, fileno($four), 1) = 1;
for (;;) {
  next if select(my $readable = $want, undef, undef, undef) < 0;
  if (vec($readable, fileno($six), 1) && receive($six)) { forward($four, $to_kernel, \&to_four) }
  if (vec($readable, fileno($four), 1) && receive($four)) { forward($six, $to_router, \&to_six) }
}
