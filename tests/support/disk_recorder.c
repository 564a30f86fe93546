/* Records, in order, everything that a program does to the files of one folder, and kills it there on request.
 *
 * Loaded with LD_PRELOAD between the program and the C library, so the program under test runs unchanged.
 *   DISK_ROOT    the folder; everything outside is passed on untold
 *   DISK_RECORD  where the record is appended
 *   DISK_MARKS   what is written to this file becomes a mark in the record (what the program has promised so far)
 *   DISK_KILL    SUFFIX:COUNT:WHEN - kill this process with SIGKILL at the COUNT-th operation on a path that ends with
 *                SUFFIX (all paths where it is empty; of "journal.jsonl", say, only writes count):
 *                WHEN is b(efore), t(orn: half of a write is done) or a(fter)
 *
 * One record is a line "KIND number number number name\n", for W and K followed by the bytes written:
 *   C inode parent 0 name     a new file            M inode parent 0 name     a new folder
 *   L inode parent 0 name     another name          R inode from to name/name renamed
 *   U 0 parent 0 name         a name removed        W inode offset length     written
 *   Z inode size 0            cut or grown          F inode 0 0               fsynced, file or folder
 *   K 0 0 length              a mark
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX], marks[PATH_MAX], kill_suffix[256];
static int record = -1, kill_count;
static char kill_when;

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *value = getenv("DISK_ROOT");
    if (value && realpath(value, root) && (value = getenv("DISK_RECORD")))
        record = syscall(SYS_openat, AT_FDCWD, value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if ((value = getenv("DISK_MARKS"))) snprintf(marks, sizeof marks, "%s", value);
    if ((value = getenv("DISK_KILL"))) {
        const char *count = strchr(value, ':');
        snprintf(kill_suffix, sizeof kill_suffix, "%.*s", (int)(count - value), value);
        kill_count = atoi(count + 1);
        kill_when = *(strchr(count + 1, ':') + 1);
    }
}

__attribute__((noreturn)) static void unheard(const char *what) {
    dprintf(2, "disk_recorder: %s is not recorded; teach it\n", what);
    abort();
}

/* The absolute path of a name, its folder resolved as the kernel does; false when it is not inside the root. */
static int inside(int folder, const char *name, char *path) {
    char whole[PATH_MAX * 2], base[PATH_MAX] = "";
    if (record < 0 || !name) return 0;
    if (name[0] != '/') {
        char link[64];
        if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t got = readlink(link, base, sizeof base - 1);
        base[got > 0 ? got : 0] = 0;
    }
    snprintf(whole, sizeof whole, "%s%s%s", base, name[0] == '/' ? "" : "/", name);
    for (size_t end = strlen(whole); end > 1 && whole[end - 1] == '/';) whole[--end] = 0;
    char *name_at = strrchr(whole, '/') + 1, folder_at[PATH_MAX];
    snprintf(folder_at, sizeof folder_at, "%.*s", (int)(name_at - whole), whole);
    if (!realpath(folder_at, path)) return 0;
    if (strlen(path) + strlen(name_at) + 2 > PATH_MAX) unheard("so long a path");
    if (path[1]) strcat(path, "/");
    strcat(path, name_at);
    return strncmp(path, root, strlen(root)) == 0 && (path[strlen(root)] == '/' || !path[strlen(root)]);
}

static int inside_fd(int file, char *path) {
    char link[64];
    if (record < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t got = readlink(link, path, PATH_MAX - 1);
    if (got <= 0) return 0;
    path[got] = 0;
    if (marks[0] && !strcmp(path, marks)) return 1;
    return strncmp(path, root, strlen(root)) == 0 && (path[strlen(root)] == '/' || !path[strlen(root)]);
}

static unsigned long inode_of(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 ? status.st_ino : 0;
}

static unsigned long folder_of(const char *path) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    return inode_of(folder);
}

static const char *name_of(const char *path) { return strrchr(path, '/') + 1; }

static void tell(char kind, unsigned long a, unsigned long b, unsigned long c, const char *name, const void *data) {
    char line[2 * PATH_MAX];
    int length = snprintf(line, sizeof line, "%c %lu %lu %lu %s\n", kind, a, b, c, name);
    struct iovec parts[2] = {{line, length}, {(void *)data, data ? c : 0}};
    syscall(SYS_writev, record, parts, data ? 2 : 1);
}

static int ends_with(const char *path, const char *suffix) {
    size_t have = strlen(path), want = strlen(suffix);
    return have >= want && !strcmp(path + have - want, suffix);
}

/* Whether the process is to die at this operation. */
static int last_hour(const char *path, int is_write) {
    if (!kill_count || !ends_with(path, kill_suffix) || (kill_suffix[0] && !is_write)) return 0;
    return --kill_count == 0;
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

#define BEFORE(path, is_write)                          \
    pthread_mutex_lock(&turn);                          \
    int over = last_hour(path, is_write), errno_was;    \
    if (over && kill_when == 'b') die()
#define AFTER                                           \
    errno_was = errno;                                  \
    if (over) die();                                    \
    pthread_mutex_unlock(&turn);                        \
    errno = errno_was

static int opened(int folder, const char *name, int flags, mode_t mode) {
    typeof(&openat) next = NEXT(openat);
    char path[PATH_MAX];
    if (flags & O_TMPFILE & ~O_DIRECTORY && inside(folder, name, path)) unheard("O_TMPFILE");
    if (!(flags & (O_CREAT | O_TRUNC)) || !inside(folder, name, path)) return next(folder, name, flags, mode);
    BEFORE(path, 0);
    unsigned long known = inode_of(path);
    int file = next(folder, name, flags, mode);
    if (file >= 0 && !known) tell('C', inode_of(path), folder_of(path), 0, name_of(path), NULL);
    else if (file >= 0 && flags & O_TRUNC) tell('Z', known, 0, 0, name_of(path), NULL);
    AFTER;
    return file;
}

#define MODE                                \
    mode_t mode = 0;                        \
    if (flags & (O_CREAT | O_TMPFILE)) {    \
        va_list more;                       \
        va_start(more, flags);              \
        mode = va_arg(more, mode_t);        \
        va_end(more);                       \
    }
int open(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE return opened(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE return opened(folder, name, flags, mode); }

/* offset < 0: where the file is. */
static ssize_t written(int file, const void *data, size_t size, off_t offset) {
    char path[PATH_MAX];
    int appends = offset < 0;
    if (file == record || !inside_fd(file, path))
        return appends ? syscall(SYS_write, file, data, size) : syscall(SYS_pwrite64, file, data, size, offset);
    if (marks[0] && !strcmp(path, marks)) {
        pthread_mutex_lock(&turn);
        tell('K', 0, 0, size, "", data);
        pthread_mutex_unlock(&turn);
        return size;
    }
    BEFORE(path, 1);
    if (over && kill_when == 't') size = size / 2 + 1;
    ssize_t done = appends ? syscall(SYS_write, file, data, size) : syscall(SYS_pwrite64, file, data, size, offset);
    struct stat status;
    if (done > 0 && fstat(file, &status) == 0) {
        if (appends) offset = lseek(file, 0, SEEK_CUR) - done;
        tell('W', status.st_ino, offset, done, "", data);
    }
    AFTER;
    return done;
}

ssize_t write(int file, const void *data, size_t size) { return written(file, data, size, -1); }
ssize_t pwrite(int file, const void *data, size_t size, off_t offset) { return written(file, data, size, offset); }
ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) { return written(file, data, size, offset); }

static int cut(int file, off_t size) {
    char path[PATH_MAX];
    if (!inside_fd(file, path)) return syscall(SYS_ftruncate, file, size);
    BEFORE(path, 0);
    struct stat status;
    int failed = syscall(SYS_ftruncate, file, size);
    if (!failed && fstat(file, &status) == 0) tell('Z', status.st_ino, size, 0, "", NULL);
    AFTER;
    return failed;
}
int ftruncate(int file, off_t size) { return cut(file, size); }
int ftruncate64(int file, off64_t size) { return cut(file, size); }

static int synced(int file, long call) {
    char path[PATH_MAX];
    if (!inside_fd(file, path)) return syscall(call, file);
    BEFORE(path, 0);
    struct stat status;
    int failed = syscall(call, file);
    if (!failed && fstat(file, &status) == 0) tell('F', status.st_ino, 0, 0, "", NULL);
    AFTER;
    return failed;
}
int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

static int renamed(int from_folder, const char *from, int to_folder, const char *to) {
    char source[PATH_MAX], target[PATH_MAX], names[2 * NAME_MAX + 4];
    int out = inside(from_folder, from, source), in = inside(to_folder, to, target);
    if (!out && !in) return syscall(SYS_renameat, from_folder, from, to_folder, to);
    if (out != in) unheard("a rename across the folder's border");
    BEFORE(target, 0);
    unsigned long inode = inode_of(source), from_inode = folder_of(source), to_inode = folder_of(target);
    int failed = syscall(SYS_renameat, from_folder, from, to_folder, to);
    snprintf(names, sizeof names, "%s/%s", name_of(source), name_of(target));
    if (!failed) tell('R', inode, from_inode, to_inode, names, NULL);
    AFTER;
    return failed;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to); }

static int removed(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    if (!inside(folder, name, path)) return syscall(SYS_unlinkat, folder, name, flags);
    BEFORE(path, 0);
    unsigned long parent = folder_of(path);
    int failed = syscall(SYS_unlinkat, folder, name, flags);
    if (!failed) tell('U', 0, parent, 0, name_of(path), NULL);
    AFTER;
    return failed;
}
int unlink(const char *name) { return removed(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return removed(folder, name, flags); }
int rmdir(const char *name) { return removed(AT_FDCWD, name, AT_REMOVEDIR); }
int remove(const char *name) {
    char path[PATH_MAX];
    if (inside(AT_FDCWD, name, path)) unheard("remove()");
    return NEXT(remove)(name);
}

static int made(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    if (!inside(folder, name, path)) return syscall(SYS_mkdirat, folder, name, mode);
    BEFORE(path, 0);
    int failed = syscall(SYS_mkdirat, folder, name, mode);
    if (!failed) tell('M', inode_of(path), folder_of(path), 0, name_of(path), NULL);
    AFTER;
    return failed;
}
int mkdir(const char *name, mode_t mode) { return made(AT_FDCWD, name, mode); }
int mkdirat(int folder, const char *name, mode_t mode) { return made(folder, name, mode); }

static int linked(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char path[PATH_MAX];
    if (!inside(to_folder, to, path)) return syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    BEFORE(path, 0);
    int failed = syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (!failed) tell('L', inode_of(path), folder_of(path), 0, name_of(path), NULL);
    AFTER;
    return failed;
}
int link(const char *from, const char *to) { return linked(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return linked(a, from, b, to, flags); }

/* What nothing here uses; should something begin to, the record would be wrong in silence. */
#define REFUSE_FD(file, what) do { char path_[PATH_MAX]; if (inside_fd(file, path_)) unheard(what); } while (0)
ssize_t writev(int file, const struct iovec *parts, int count) {
    REFUSE_FD(file, "writev");
    return syscall(SYS_writev, file, parts, count);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    REFUSE_FD(file, "pwritev");
    return NEXT(pwritev)(file, parts, count, offset);
}
ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
    REFUSE_FD(out, "sendfile");
    return syscall(SYS_sendfile, out, in, offset, count);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
    REFUSE_FD(out, "sendfile");
    return syscall(SYS_sendfile, out, in, offset, count);
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
    REFUSE_FD(out, "copy_file_range");
    return syscall(SYS_copy_file_range, in, from, out, to, count, flags);
}
int posix_fallocate(int file, off_t offset, off_t size) {
    REFUSE_FD(file, "posix_fallocate");
    return NEXT(posix_fallocate)(file, offset, size);
}
int symlinkat(const char *what, int folder, const char *name) {
    char path[PATH_MAX];
    if (inside(folder, name, path)) unheard("symlinkat");
    return syscall(SYS_symlinkat, what, folder, name);
}
