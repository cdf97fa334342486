#pragma once
/// What messages are told apart by: the first thing in each of them. messages.hpp says who takes which.

#include <caf/all.hpp>

namespace ci {

// Atoms are at most ten characters long in CAF 0.17.
using take_atom = caf::atom_constant<caf::atom("take")>;
using release_atom = caf::atom_constant<caf::atom("release")>;
using jit_atom = caf::atom_constant<caf::atom("jit")>;
using boot_atom = caf::atom_constant<caf::atom("boot")>;
using lever_atom = caf::atom_constant<caf::atom("lever")>;
using notice_atom = caf::atom_constant<caf::atom("notice")>;
using guest_atom = caf::atom_constant<caf::atom("guest")>;
using host_atom = caf::atom_constant<caf::atom("host")>;
using store_atom = caf::atom_constant<caf::atom("store")>;
using policy_atom = caf::atom_constant<caf::atom("policy")>;
using crank_atom = caf::atom_constant<caf::atom("crank")>;
using token_atom = caf::atom_constant<caf::atom("token")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using list_atom = caf::atom_constant<caf::atom("list")>;
using fetch_atom = caf::atom_constant<caf::atom("fetch")>;
using find_atom = caf::atom_constant<caf::atom("find")>;
using register_atom = caf::atom_constant<caf::atom("register")>;
using label_atom = caf::atom_constant<caf::atom("label")>;
using unlabel_atom = caf::atom_constant<caf::atom("unlabel")>;
using delete_atom = caf::atom_constant<caf::atom("delete")>;
using run_atom = caf::atom_constant<caf::atom("run")>;
using jobs_atom = caf::atom_constant<caf::atom("jobs")>;
using artifs_atom = caf::atom_constant<caf::atom("artifacts")>;
using archive_atom = caf::atom_constant<caf::atom("archive")>;
using select_atom = caf::atom_constant<caf::atom("select")>;
using watch_atom = caf::atom_constant<caf::atom("watch")>;
using addr_atom = caf::atom_constant<caf::atom("addresses")>;
using prepare_atom = caf::atom_constant<caf::atom("prepare")>;
using start_atom = caf::atom_constant<caf::atom("start")>;
using remove_atom = caf::atom_constant<caf::atom("remove")>;
using look_atom = caf::atom_constant<caf::atom("look")>;
using xml_atom = caf::atom_constant<caf::atom("xml")>;
using define_atom = caf::atom_constant<caf::atom("define")>;
using halt_atom = caf::atom_constant<caf::atom("halt")>;
using undef_atom = caf::atom_constant<caf::atom("undefine")>;
using nvram_atom = caf::atom_constant<caf::atom("nvram")>;
using clone_atom = caf::atom_constant<caf::atom("clone")>;
using erase_atom = caf::atom_constant<caf::atom("erase")>;
using unused_atom = caf::atom_constant<caf::atom("unused")>;
using seal_atom = caf::atom_constant<caf::atom("seal")>;
using update_atom = caf::atom_constant<caf::atom("update")>;
using disk_atom = caf::atom_constant<caf::atom("disk")>;
using iso_atom = caf::atom_constant<caf::atom("iso")>;
using rename_atom = caf::atom_constant<caf::atom("rename")>;
using commit_atom = caf::atom_constant<caf::atom("commit")>;
using load_atom = caf::atom_constant<caf::atom("load")>;
using defs_atom = caf::atom_constant<caf::atom("defs")>;
using link_atom = caf::atom_constant<caf::atom("link")>;
using shot_atom = caf::atom_constant<caf::atom("shot")>;
using pace_atom = caf::atom_constant<caf::atom("pace")>;
using keep_atom = caf::atom_constant<caf::atom("keep")>;
using forget_atom = caf::atom_constant<caf::atom("forget")>;
using open_atom = caf::atom_constant<caf::atom("open")>;
using read_atom = caf::atom_constant<caf::atom("read")>;
using recall_atom = caf::atom_constant<caf::atom("recall")>;
using tally_atom = caf::atom_constant<caf::atom("tally")>;
using count_atom = caf::atom_constant<caf::atom("count")>;
using gauge_atom = caf::atom_constant<caf::atom("gauge")>;
using time_atom = caf::atom_constant<caf::atom("time")>;

} // namespace ci
