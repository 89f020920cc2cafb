/* Preloaded into the program by test_interruption.py: counts what reaches the disk (writes to files, syncs, renames,
   removals) and sends the process a signal at the one that is asked for, before it happens.

   INTERRUPT_PROGRAM  only the program of this name counts, not what it starts
   INTERRUPT_AT       the event at which the process gets the signal; 0 = never
   INTERRUPT_SIGNAL   its number; SIGKILL unless given
   INTERRUPT_COUNT    a file that gets the number of events at the end
   INTERRUPT_CLOCK    seconds by which the time of day jumps at every look at it, there and back */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static atomic_long events;
static long last = -1;

static int counts(void) {
  const char* name = getenv("INTERRUPT_PROGRAM");
  return name != NULL && strcmp(name, program_invocation_short_name) == 0;
}

static void event(void) {
  if (last < 0) {
    const char* at = getenv("INTERRUPT_AT");
    last = at != NULL && counts() ? atol(at) : 0;
  }
  if (atomic_fetch_add(&events, 1) + 1 != last) return;
  const char* number = getenv("INTERRUPT_SIGNAL");
  kill(getpid(), number != NULL ? atoi(number) : SIGKILL);
}

static void event_of_file(int fd) {
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) event();
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* data, size_t size) {
  event_of_file(fd);
  return NEXT(write)(fd, data, size);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  event_of_file(fd);
  return NEXT(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  event_of_file(fd);
  return NEXT(pwrite64)(fd, data, size, at);
}
int fsync(int fd) {
  event();
  return NEXT(fsync)(fd);
}
int rename(const char* from, const char* to) {
  event();
  return NEXT(rename)(from, to);
}
int unlink(const char* path) {
  event();
  return NEXT(unlink)(path);
}
int remove(const char* path) {
  event();
  return NEXT(remove)(path);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int result = NEXT(clock_gettime)(clock, now);
  static atomic_int looks;
  const char* jump = getenv("INTERRUPT_CLOCK");
  if (jump != NULL && clock == CLOCK_REALTIME && result == 0 && atomic_fetch_add(&looks, 1) % 2 == 0)
    now->tv_sec += atol(jump);
  return result;
}

__attribute__((destructor)) static void tell(void) {
  const char* file = getenv("INTERRUPT_COUNT");
  if (file == NULL || !counts()) return;
  FILE* out = fopen(file, "w");
  if (out == NULL) return;
  fprintf(out, "%ld\n", (long)events);
  fclose(out);
}
