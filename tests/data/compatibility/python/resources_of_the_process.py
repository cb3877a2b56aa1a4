"""What a process may ask about itself."""
import json
import os
import resource
import sys
import sysconfig
import time

facts = {}
usage = resource.getrusage(resource.RUSAGE_SELF)
facts["usage"] = usage.ru_maxrss > 1000 and usage.ru_utime >= 0
facts["times"] = os.times().elapsed > 0
facts["cpus"] = os.cpu_count() >= 1 and len(os.sched_getaffinity(0)) >= 1
facts["page"] = resource.getpagesize()
facts["limits"] = all(resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_STACK))
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 64))
facts["lowered"] = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
facts["ids"] = os.getpid() > 0 and os.getuid() == os.geteuid() and os.getgid() == os.getegid()
facts["priority"] = isinstance(os.getpriority(os.PRIO_PROCESS, 0), int)
facts["sysconf"] = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
facts["version"] = [sys.version, sys.implementation.name, sys.byteorder, sys.maxsize]
facts["paths"] = [sysconfig.get_paths()["stdlib"], sys.prefix, sys.base_prefix, sys.exec_prefix]
facts["size"] = sys.getsizeof([]) > 0 and sys.getrefcount(facts) > 1
facts["slept"] = time.sleep(0)
os.sched_yield()
print(json.dumps(facts))
