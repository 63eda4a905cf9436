/*
 * asan_early.c: starts the address sanitizer before any other library.
 *
 * Preloaded into a server of a distribution it would start at the first
 * malloc(), which is that of a bindtextdomain() in the constructor of some
 * library.  Starting, it asks for symbols that do not exist, and the message
 * for that is looked up by dcgettext(), which takes and releases the lock that
 * bindtextdomain() holds: the next bindtextdomain() waits for ever.  This is
 * linked with "-z initfirst" and preloaded too.
 */
void		__asan_init(void);

__attribute__((constructor)) static void
start_early(void)
{
	__asan_init();
}
