#!/usr/bin/perl
# What starts machines, and what a machine's process 1 does. Perl, because perl-base is on every Debian and Ubuntu, has `syscall`, and an idle
# copy of a running interpreter costs a few hundred kilobytes where a Node process costs 45 MB. No modules: each would be paid per machine.
#
# One launcher runs for the whole server (`perl init.pl ARCH SOCKET IMAGE NODE IDS`). For each `start` line on its input it forks, makes the machine's
# namespaces and becomes its process 1; nothing is executed, so a machine is there after a few milliseconds. The launcher knows only ids and
# directories: whatever is secret (user data, keys) goes over the machine's own socket, or one machine could read another's in its copied memory.
#
# Order inside: ids → namespaces → root file system → pivot → `ready` → (wait for `release`) → first boot's user data → serve.
# Exit status of process 1: 0 shutdown, 3 reboot, anything else a crash.
use strict;
use warnings;

my ($arch, $socket_name, $image_path, $node_path, $id_map) = @ARGV;
my %number = $arch eq 'x64'
  ? (mount => 165, umount2 => 166, pivot_root => 155, unshare => 272, sethostname => 170, prctl => 157, keyctl => 250, prlimit64 => 302, setsid => 112)
  : $arch eq 'arm64'
  ? (mount => 40, umount2 => 39, pivot_root => 41, unshare => 97, sethostname => 161, prctl => 167, keyctl => 219, prlimit64 => 261, setsid => 157)
  : die "postern: no system call numbers for $arch\n";
$number{mount_setattr} = 442;
$number{close_range} = 436;

use constant {
  MS_RDONLY => 1, MS_NOSUID => 2, MS_NODEV => 4, MS_NOEXEC => 8, MS_BIND => 4096, MS_REC => 16384, MS_PRIVATE => 1 << 18,
  NAMESPACES => 0x10000000 | 0x40000000 | 0x20000 | 0x20000000 | 0x4000000 | 0x8000000 | 0x2000000, # user net mount pid uts ipc cgroup
  MNT_DETACH => 2, O_DIRECTORY => $ARGV[0] eq 'arm64' ? 040000 : 0200000, O_NOCTTY => 0400, O_RDWR => 2,
  STAGE => '/tmp', MAX_PROCESSES => 4096, CONSOLE_BACKLOG => 262144, AGENT => '/opt/postern/ssm-agent.mjs', AGENT_DELAY => 60,
};

# syscall(2) may write through a string, so perl refuses literals: every argument is copied.
sub call {
  my ($name, @arguments) = @_;
  my @copy = map { my $value = $_; $value } @arguments;
  my $result = syscall($number{$name}, @copy);
  return $result == -1 ? undef : $result || '0 but true';
}

sub mount {
  my ($source, $target, $type, $flags, $data) = @_;
  call('mount', "$source", "$target", "$type", 0 + ($flags || 0), defined $data ? "$data" : 0)
    or die "mount $type on $target: $!\n";
}

sub read_only {
  my ($target) = @_;
  call('mount_setattr', -100, "$target", 0x8000, pack('Q4', MS_RDONLY, 0, 0, 0), 32) or die "read-only $target: $!\n";
}

sub spew {
  my ($path, $text, $mode) = @_;
  open(my $file, '>', $path) or die "write $path: $!\n";
  binmode $file;
  print {$file} $text;
  close($file) or die "write $path: $!\n";
  chmod($mode, $path) if defined $mode;
}

sub make_path {
  my ($path) = @_;
  return if -d $path;
  (my $parent = $path) =~ s{/[^/]+$}{};
  make_path($parent) if length $parent;
  mkdir($path, $path =~ m{/\.ssh$} ? 0700 : 0755);
}

# ---------------------------------------------------------------- the launcher

my %machine_of; # pid of a machine's process 1 → its instance id

sub launcher {
  $0 = 'postern-machines';
  $| = 1;
  call('prctl', 36, 1, 0, 0, 0) or die "prctl: $!\n"; # subreaper: a machine's process 1 becomes our child when its maker ends
  pipe(my $wake_read, my $wake_write) or die;
  local $SIG{CHLD} = sub { syswrite($wake_write, 'x') };
  local $SIG{PIPE} = 'IGNORE';
  my $input = '';
  for (;;) {
    my $ready = '';
    vec($ready, 0, 1) = 1;
    vec($ready, fileno($wake_read), 1) = 1;
    next if select($ready, undef, undef, undef) < 0;
    if (vec($ready, fileno($wake_read), 1)) {
      sysread($wake_read, my $ignored, 4096);
      while ((my $pid = waitpid(-1, 1)) > 0) {
        my $id = delete $machine_of{$pid};
        print "exited $id $?\n" if defined $id;
      }
    }
    next unless vec($ready, 0, 1);
    my $count = sysread(STDIN, $input, 4096, length $input);
    next if !defined $count && $! == 4;
    exit 0 unless $count;
    while ($input =~ s/^([^\n]*)\n//) {
      my ($verb, $id, $token, $disk) = split / /, $1;
      next unless $verb eq 'start';
      my ($pid, $error) = launch($id, $token, pack('H*', $disk));
      if ($pid) {
        $machine_of{$pid} = $id;
        print "started $id $pid\n";
      } else {
        $error =~ s/\s+/ /g;
        print "failed $id $error\n";
      }
    }
  }
}

# Returns the process id of the machine's process 1 in our own PID namespace, or undef and the reason.
sub launch {
  my ($id, $token, $disk_path) = @_;
  socket(my $control, 1, 1, 0) or return (undef, "socket: $!");
  # An abstract name; libuv before 1.46 gave it all 108 bytes of the address, later ones its own length.
  connect($control, pack('S a108', 1, "\0$socket_name")) or connect($control, pack('S a*', 1, "\0$socket_name"))
    or return (undef, "connect: $!");
  syswrite($control, "hello $id $token\n");
  pipe(my $from_maker, my $to_launcher) or return (undef, "pipe: $!");
  pipe(my $from_launcher, my $to_maker) or return (undef, "pipe: $!");
  my $maker = fork();
  return (undef, "fork: $!") unless defined $maker;
  if ($maker == 0) {
    $SIG{CHLD} = 'DEFAULT';
    close($from_maker);
    close($to_maker);
    my $pid = eval {
      stage($disk_path);
      call('unshare', NAMESPACES) or die "unshare: $!\n";
      syswrite($to_launcher, "unshared\n");
      sysread($from_launcher, my $go, 1) or die "the launcher went away\n";
      my $child = fork();
      die "fork: $!\n" unless defined $child;
      $child;
    };
    if (!defined $pid) {
      syswrite($to_launcher, "error $@");
      call_exit(1);
    }
    if ($pid == 0) {
      close($to_launcher);
      close($from_launcher);
      machine($id, $control);
      call_exit(1);
    }
    syswrite($to_launcher, "pid $pid\n");
    call_exit(0);
  }
  close($to_launcher);
  close($from_launcher);
  my $said = read_line($from_maker);
  if ($said eq "unshared\n") {
    my $mapped = eval { map_ids($maker); 1 };
    my $why = $@;
    if ($mapped) {
      syswrite($to_maker, 'x');
      $said = read_line($from_maker);
      return ($1) if $said =~ /^pid (\d+)/;
    } else {
      $said = $why;
    }
  }
  close($to_maker);
  return (undef, length $said ? $said : 'the machine\'s maker ended');
}

# Until a newline or the end. The signal of a child that ended, a maker's or another machine's, interrupts the wait; it is no end (EINTR, 4).
sub read_line {
  my ($from) = @_;
  my $said = '';
  until ($said =~ /\n$/) {
    my $count = sysread($from, $said, 4096, length $said);
    next if !defined $count && $! == 4;
    last unless $count;
  }
  return $said;
}

# The machine's root will have no way to its disk by path, because our data directory is closed to it; and the kernel takes no descriptor of another
# mount namespace as a mount's source. So what it needs is bound, still with our rights, below a directory that it may enter.
sub stage {
  my ($disk_path) = @_;
  call('unshare', 0x20000) or die "unshare: $!\n";
  mount('none', '/', '', MS_REC | MS_PRIVATE);
  # Opened first: the staging place may hide any of them.
  sysopen(my $disk, $disk_path, O_DIRECTORY) or die "disk $disk_path: $!\n";
  sysopen(my $image, $image_path, O_DIRECTORY) or die "image $image_path: $!\n";
  open(my $node, '<', $node_path) or die "node $node_path: $!\n";
  mount('tmpfs', STAGE, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=0755,size=64k');
  mkdir(STAGE . "/$_", 0755) for qw(disk image root);
  spew(STAGE . '/node', '');
  mount('/proc/self/fd/' . fileno($disk), STAGE . '/disk', '', MS_BIND);
  mount('/proc/self/fd/' . fileno($image), STAGE . '/image', '', MS_BIND);
  mount('/proc/self/fd/' . fileno($node), STAGE . '/node', '', MS_BIND);
  # Here and not in the machine: the flag of a mount that came along into a new user namespace is locked, while what its root set itself it may
  # take back. Where the operator owns the node binary (nvm) and has a single id, a writable one would be a way out.
  read_only(STAGE . "/$_") for qw(image node);
}

# IDS is `INSIDE OUTSIDE COUNT`. One single id: the kernel then wants setgroups forbidden.
sub map_ids {
  my ($pid) = @_;
  my (undef, undef, $count) = split / /, $id_map;
  if ($count == 1) { eval { spew("/proc/$pid/setgroups", "deny\n") } }
  spew("/proc/$pid/uid_map", "$id_map\n");
  spew("/proc/$pid/gid_map", "$id_map\n");
}

# Ends without perl's own tidying, which would flush buffers copied from the launcher.
sub call_exit {
  my ($status) = @_;
  my $exit_group = $arch eq 'x64' ? 231 : 94;
  syscall($exit_group, $status);
}

# ---------------------------------------------------------------- the machine, process 1

my ($control, $outgoing, $incoming) = (undef, '', '');
my ($console_master, $console_slave, $listener, $wake_read, $wake_write);
my ($released, $booted, $ending, $deadline, $user_data) = (0, 0, undef, undef, undef);
my ($instance_id, $hostname) = ('', 'localhost');
my %child_kind;
my %environment;
my ($agent_due, $agent_delay); # when Systems Manager's agent is to be tried, and how long to wait after that

sub machine {
  my ($id, $socket) = @_;
  ($control, $instance_id) = ($socket, $id);
  %machine_of = ();
  my $done = eval {
    become_root();
    root_file_system();
    # Everything that belongs to the outside, the launcher's pipes first, is closed; only the control socket stays.
    my $keep = fileno($control);
    my $null;
    open($null, '+<', '/dev/null') or die "/dev/null: $!\n";
    open(STDIN, '<&', $null);
    open(STDOUT, '>&', $null);
    open(STDERR, '>&', $null);
    call('close_range', 3, $keep - 1, 0) if $keep > 3;
    call('close_range', $keep + 1, 0xffffffff, 0);
    syscall($number{setsid});
    call('keyctl', 1, 0, 0, 0, 0); # a session keyring of its own: the operator's must not be possessed in here
    call('prlimit64', 0, 6, pack('Q2', MAX_PROCESSES, MAX_PROCESSES), 0);
    eval { spew('/proc/self/oom_score_adj', "500\n") };
    umask(022);
    # A machine starts with a clean environment; `environment` frames fill it.
    %ENV = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
    console();
    1;
  };
  if (!$done) {
    my $why = $@;
    syswrite($control, 'failed ' . length($why) . "\n$why");
    return;
  }
  $0 = 'init';
  eval { serve(); 1 } or do { my $why = $@; eval { print {$console_slave} "init: $why" }; };
}

sub become_root {
  my (undef, undef, $count) = split / /, $id_map;
  return if $count == 1;
  $( = 0;
  $) = '0 0';
  $< = 0;
  $> = 0;
  die "not root inside: $<\n" unless $< == 0 && $> == 0;
}

# A tmpfs root; system directories as overlays over the host's /usr and over our own /etc, /var and /opt (the host's are never seen);
# the machine's disk holds the upper halves, /home and /root.
sub root_file_system {
  my ($own, $base, $node_file, $root) = (STAGE . '/disk', STAGE . '/image', STAGE . '/node', STAGE . '/root');
  my (undef, undef, $count) = split / /, $id_map;
  mount('tmpfs', $root, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=0755,size=16m');
  mkdir("$root/$_", 0755) for qw(usr etc var opt home root tmp run dev proc sys boot media mnt srv);
  my %lower = (usr => "$base/usr:/usr", etc => "$base/etc", var => "$base/var", opt => "$base/opt");
  for my $name (qw(usr etc var opt)) {
    mount('overlay', "$root/$name", 'overlay', 0, "lowerdir=$lower{$name},upperdir=$own/upper/$name,workdir=$own/work/$name,userxattr");
  }
  mount("$own/$_", "$root/$_", '', MS_BIND) for qw(home root);
  for my $name (qw(bin sbin lib lib32 lib64 libx32)) {
    if (-l "/$name") { symlink(readlink("/$name"), "$root/$name") }
    elsif (-d "/$name") {
      mkdir("$root/$name", 0755);
      mount("/$name", "$root/$name", '', MS_BIND);
      read_only("$root/$name");
    }
  }
  mount($node_file, "$root/opt/postern/bin/node", '', MS_BIND);
  mount('tmpfs', "$root/tmp", 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=1777,size=50%');
  mount('tmpfs', "$root/run", 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=0755,size=64m');
  mkdir("$root/run/lock", 01777);
  for my $name (qw(null zero full random urandom tty)) {
    spew("$root/dev/$name", '');
    mount("/dev/$name", "$root/dev/$name", '', MS_BIND);
  }
  mkdir("$root/dev/$_", 0755) for qw(pts shm);
  mount('tmpfs', "$root/dev/shm", 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=1777,size=64m');
  mount('devpts', "$root/dev/pts", 'devpts', MS_NOSUID | MS_NOEXEC, 'newinstance,ptmxmode=0666,mode=0620' . ($count > 5 ? ',gid=5' : ''));
  symlink('pts/ptmx', "$root/dev/ptmx");
  symlink('/proc/self/fd', "$root/dev/fd");
  symlink("/proc/self/fd/$_->[0]", "$root/dev/$_->[1]") for [0, 'stdin'], [1, 'stdout'], [2, 'stderr'];
  mount('proc', "$root/proc", 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC);
  # Only where the host's own is wholly visible does the kernel allow a sysfs (not in every container); nothing we need depends on it.
  eval { mount('sysfs', "$root/sys", 'sysfs', MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY) };
  chdir($root) or die "chdir: $!\n";
  call('pivot_root', '.', '.') or die "pivot_root: $!\n";
  call('umount2', '.', MNT_DETACH) or die "umount of the old root: $!\n";
  chdir('/') or die "chdir /: $!\n";
}

# The console is a terminal of the machine's own devpts, so that `> /dev/console` in user data works; we hold the other end.
sub console {
  sysopen($console_master, '/dev/ptmx', O_RDWR | O_NOCTTY) or die "/dev/ptmx: $!\n";
  my $number = pack('I', 0);
  ioctl($console_master, 0x40045431, $number) or die "unlock pty: $!\n"; # TIOCSPTLCK
  ioctl($console_master, 0x80045430, $number) or die "pty number: $!\n"; # TIOCGPTN
  my $slave = '/dev/pts/' . unpack('I', $number);
  sysopen($console_slave, $slave, O_RDWR | O_NOCTTY) or die "$slave: $!\n";
  symlink($slave, '/dev/console');
  my $old = select($console_slave);
  $| = 1;
  select($old);
}

sub loopback_up {
  socket(my $socket, 2, 2, 0) or die "socket: $!\n";
  my $request = pack('a16 s x14', 'lo', 0x1 | 0x40);
  ioctl($socket, 0x8914, $request) or die "lo up: $!\n"; # SIOCSIFFLAGS
}

# One socket for both families; IPv4's alone where the kernel has no IPv6.
sub listen_ssh {
  my $both = socket($listener, 10, 1, 6);
  $both or socket($listener, 2, 1, 6) or return;
  setsockopt($listener, 1, 2, pack('i', 1));
  setsockopt($listener, 41, 26, pack('i', 0)) if $both; # IPV6_V6ONLY
  my $address = $both ? pack('S n N a16 N', 10, 22, 0, "\0" x 16, 0) : pack('S n a4 x8', 2, 22, "\0" x 4);
  bind($listener, $address) && listen($listener, 64) or undef $listener;
}

sub serve {
  pipe($wake_read, $wake_write) or die "pipe: $!\n";
  $SIG{CHLD} = sub { syswrite($wake_write, 'x') };
  $SIG{PIPE} = 'IGNORE';
  # busybox init's signals: USR1 halt, USR2 power off, TERM reboot.
  $SIG{USR1} = $SIG{USR2} = sub { finish(0, 1500); syswrite($wake_write, 'x') };
  $SIG{TERM} = sub { finish(3, 1500); syswrite($wake_write, 'x') };
  loopback_up();
  my $alive = 1;
  for (;;) {
    my ($read, $write) = ('', '');
    vec($read, fileno($_), 1) = 1 for grep { defined } $wake_read, $console_master, $listener, $alive ? $control : undef;
    vec($write, fileno($control), 1) = 1 if $alive && length $outgoing;
    my $timeout = defined $ending ? 0.02 : agent_wait();
    my $found = select($read, $write, undef, $timeout);
    if ($found > 0) {
      sysread($wake_read, my $ignored, 4096) if vec($read, fileno($wake_read), 1);
      if ($alive && vec($write, fileno($control), 1)) {
        my $sent = syswrite($control, $outgoing, length($outgoing) > 65536 ? 65536 : length $outgoing);
        substr($outgoing, 0, $sent) = '' if $sent;
      }
      if (vec($read, fileno($console_master), 1) && sysread($console_master, my $text, 8192)) {
        $outgoing .= 'console ' . length($text) . "\n$text" if length($outgoing) < CONSOLE_BACKLOG;
      }
      if ($listener && vec($read, fileno($listener), 1) && accept(my $connection, $listener)) {
        serve_ssh($connection);
      }
      if ($alive && vec($read, fileno($control), 1)) {
        my $count = sysread($control, $incoming, 65536, length $incoming);
        if ($count) { frames() }
        else { $alive = 0; finish(0, 500) } # the server is gone: so are we
      }
    }
    reap();
    try_agent() if defined $agent_due && !defined $ending && $agent_due <= now();
    leave_if_done() if defined $ending;
  }
}

sub reap {
  while ((my $pid = waitpid(-1, 1)) > 0) {
    my $kind = delete $child_kind{$pid} || '';
    if ($kind eq 'user-data') {
      my $status = $? & 127 ? 'signal ' . ($? & 127) : 'status ' . ($? >> 8);
      print {$console_slave} "cloud-init: user data ended with $status\n";
      login_prompt();
    } elsif ($kind eq 'ssm-agent') {
      # Status 0: it was connected, so what ended it may be over soon.
      $agent_delay = $? == 0 ? 1 : $agent_delay * 2;
      $agent_delay = AGENT_DELAY if $agent_delay > AGENT_DELAY;
      $agent_due = now() + $agent_delay;
    }
  }
}

# Frames from the server: `VERB [ARGUMENTS]\n`, where file, user-data and environment are followed by so many bytes.
sub frames {
  while ($incoming =~ /^([^\n]*)\n/) {
    my ($line, $start) = ($1, length($1) + 1);
    my ($verb, @rest) = split / /, $line, 4;
    my $payload = '';
    if ($verb eq 'file' || $verb eq 'user-data' || $verb eq 'environment') {
      return if length($incoming) < $start + $rest[0];
      $payload = substr($incoming, $start, $rest[0]);
      $start += $rest[0];
    }
    substr($incoming, 0, $start) = '';
    if ($verb eq 'file') { place_file($rest[1], $rest[2], $payload) }
    elsif ($verb eq 'environment') { %environment = map { split /=/, $_, 2 } split /\0/, $payload }
    elsif ($verb eq 'user-data') { $user_data = $payload }
    elsif ($verb eq 'hostname') { $hostname = $rest[0]; call('sethostname', $hostname, length $hostname) }
    elsif ($verb eq 'configured') { boot() }
    elsif ($verb eq 'renewed') { $outgoing .= "renewed\n" } # the files of a lease lie before it
    elsif ($verb eq 'release') { $released = 1; ($agent_due, $agent_delay) = (0, 1) if -e AGENT; multi_user() }
    elsif ($verb eq 'stop') { finish(0, $rest[0]) }
  }
}

# MODE is octal; `new:` before it means: not over a file that is there (it survived on the disk, and may have been changed).
sub place_file {
  my ($mode, $path, $text) = @_;
  return if $mode =~ s/^new:// && -e $path;
  (my $directory = $path) =~ s{/[^/]+$}{};
  eval {
    make_path($directory) if length $directory;
    unlink($path) if -l $path;
    spew($path, $text, oct $mode);
    1;
  } or print {$console_slave} "init: $@";
}

sub boot {
  print {$console_slave} "Postern: instance $instance_id boots as $hostname\n";
  listen_ssh();
  $booted = 1;
  $outgoing .= "ready\n";
}

sub multi_user {
  my $directory = '/var/lib/cloud/instance';
  my $mark = "$directory/sem/user-data";
  if (!defined $user_data || !length $user_data) { return login_prompt() }
  make_path("$directory/sem");
  make_path("$directory/scripts");
  if (-e $mark) { return login_prompt() }
  eval { spew("$directory/user-data.txt", $user_data, 0600); spew($mark, scalar(localtime) . "\n"); 1 } or print {$console_slave} "init: $@";
  if ($user_data !~ /^#!/) {
    my $kind = $user_data =~ /^#cloud-config/ ? 'a #cloud-config document' : $user_data =~ /^\x1f\x8b/ ? 'compressed'
      : $user_data =~ /^(?:Content-Type|MIME-Version):/i ? 'a MIME multi-part document' : 'not a script that begins with #!';
    print {$console_slave} "cloud-init: *** USER DATA WAS NOT RUN: it is $kind, and only #! scripts are supported here ***\n";
    return login_prompt();
  }
  my $script = "$directory/scripts/part-001";
  eval { spew($script, $user_data, 0700); 1 } or return print {$console_slave} "init: $@";
  my $pid = child(sub {
    %ENV = (%environment, HOME => '/root', USER => 'root', LOGNAME => 'root');
    chdir('/');
    exec('/bin/sh', '-c', '{ "$0"; echo $? >&3; } 3>/run/user-data.status 2>&1 | tee -a /var/log/cloud-init-output.log; read -r s </run/user-data.status; exit "$s"', $script);
  });
  $child_kind{$pid} = 'user-data' if $pid;
}

sub login_prompt {
  print {$console_slave} "\n$hostname login: ";
}

# Forks a child in a session of its own, whose output is the console, with nothing else of ours open.
sub child {
  my ($work, $input) = @_;
  my $pid = fork();
  return $pid if $pid || !defined $pid;
  $SIG{$_} = 'DEFAULT' for qw(CHLD PIPE USR1 USR2 TERM);
  syscall($number{setsid});
  if ($input) { open(STDIN, '<&', $input) } else { open(STDIN, '<', '/dev/null') }
  open(STDOUT, '>&', $console_slave);
  open(STDERR, '>&', $console_slave);
  call('close_range', 3, 0xffffffff, 0);
  $work->();
  call_exit(127);
}

# One process per connection, as inetd did it: an idle machine holds no Node process.
sub serve_ssh {
  my ($connection) = @_;
  child(sub {
    %ENV = (%environment, HOME => '/root', USER => 'root', LOGNAME => 'root');
    open(STDERR, '>>', '/var/log/sshd.log');
    open(STDOUT, '>&', \*STDERR);
    chdir('/');
    exec('/opt/postern/bin/node', '/opt/postern/ssh.mjs');
  }, $connection);
  close($connection);
}

# Systems Manager's agent is Node's and costs 10 MB, so it is started only where it can work: the instance has a role, and packets get to the service. A
# child looks, and becomes the agent if so; if not, or when the agent has given up, the next one looks a while later: 1 s, 2 s, 4 s … a minute.
# AWS's agent waits for up to 40 minutes; here somebody who has mended the network wants to see it.
sub agent_wait {
  return undef unless defined $agent_due;
  my $wait = $agent_due - now();
  return $wait > 0 ? $wait : 0;
}

sub try_agent {
  undef $agent_due;
  my $pid = child(sub {
    %ENV = (%environment, HOME => '/root', USER => 'root', LOGNAME => 'root');
    chdir('/');
    alarm(15); # ends a child whose packets are dropped; exec keeps it, so it is taken back before
    my $token = metadata('PUT', 'api/token', 'X-aws-ec2-metadata-token-ttl-seconds: 60') or call_exit(1);
    my $header = "X-aws-ec2-metadata-token: $token";
    metadata('GET', 'meta-data/iam/security-credentials/', $header) or call_exit(1);
    my $region = metadata('GET', 'meta-data/placement/region', $header) or call_exit(1);
    my $domain = metadata('GET', 'meta-data/services/domain', $header) or call_exit(1);
    my (undef, undef, undef, undef, $address) = gethostbyname("ssm.$region.$domain") or call_exit(1);
    tcp($address, 443) or call_exit(1);
    alarm(0);
    $ENV{PATH} = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    exec('/opt/postern/bin/node', '--title=amazon-ssm-agent', AGENT);
  });
  if ($pid) { $child_kind{$pid} = 'ssm-agent' } else { $agent_due = now() + AGENT_DELAY }
}

sub tcp {
  my ($address, $port) = @_;
  socket(my $socket, 2, 1, 6) or return undef;
  connect($socket, pack('S n a4 x8', 2, $port, $address)) or return undef;
  return $socket;
}

# The body of an answer of the metadata service; undef unless it is 200.
sub metadata {
  my ($method, $path, $header) = @_;
  my $socket = tcp("\251\376\251\376", 80) or return undef;
  syswrite($socket, "$method /latest/$path HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\nContent-Length: 0\r\n$header\r\n\r\n");
  my $answer = '';
  while (sysread($socket, $answer, 8192, length $answer)) { }
  return $answer =~ m{^HTTP/1\.[01] 200 .*?\r\n\r\n(.+)}s ? $1 : undef;
}

sub finish {
  my ($status, $grace_ms) = @_;
  return if defined $ending;
  $ending = $status;
  $deadline = now() + $grace_ms / 1000;
  close($listener) if $listener;
  undef $listener;
  kill($_ => -1) for qw(TERM HUP CONT);
}

sub now {
  open(my $uptime, '<', '/proc/uptime') or return time;
  return (split ' ', <$uptime>)[0];
}

# Processes that were entered from outside are nobody's children in here, so /proc is what counts them.
sub leave_if_done {
  opendir(my $proc, '/proc') or call_exit($ending);
  my $others = grep { /^\d+$/ && $_ != 1 } readdir $proc;
  closedir($proc);
  return if $others && now() < $deadline;
  my $text = '';
  for (;;) { # what the console still holds
    my $read = '';
    vec($read, fileno($console_master), 1) = 1;
    last unless select($read, undef, undef, 0) > 0 && sysread($console_master, $text, 8192);
    $outgoing .= 'console ' . length($text) . "\n$text";
  }
  syswrite($control, $outgoing) if length $outgoing;
  call_exit($ending);
}

launcher();
