# The rules of tarbac about tenant-attached devices, as they are where no reading is switched.
package tenant

import rego.v1

default allow := false

allow if {
  permitted
  not refused
}

person := data.people[input.principal]

device := data.devices[input.resource]

hierarchy := data.hierarchies[device.hierarchy]

tenant := data.tenants[hierarchy.tenant]

intune_decides if {
  tenant.useIntuneRbac
  not hierarchy.enforceConfigMgrRbac
  hierarchy.version >= 2207
}

permitted if {
  some role, _ in person.roles
  data.roles[role][input.action]
}

permitted if person.directoryRoles["Global Administrator"]

permitted if person.directoryRoles["Intune Administrator"]

permitted if {
  data.groups.attached[input.action]
  person.tenants[hierarchy.tenant]
  not intune_decides
}

administrator if person.directoryRoles["Global Administrator"]

administrator if person.directoryRoles["Intune Administrator"]

has_role if person.tenants[hierarchy.tenant]

has_role if administrator

refused if person.tenant != hierarchy.tenant

refused if person.accountEnabled == false

refused if {
  input.action == "viewSoftwareUpdates"
  person.cloudOnly
  hierarchy.version == 2207
  hierarchy.earlyUpdateRing
}

refused if {
  input.action == "viewSoftwareUpdates"
  hierarchy.version < 2111
}

refused if {
  input.action == "rotateBitLockerKeys"
  hierarchy.version < 2107
}

refused if {
  not intune_decides
  person.cloudOnly
}

refused if {
  not intune_decides
  not has_role
}

refused if {
  not intune_decides
  not discovered
}

refused if {
  not intune_decides
  some permission in collection_permissions[input.action]
  not granted[permission]
}

refused if {
  not intune_decides
  not granted.read
}

refused if {
  not intune_decides
  some permission in hierarchy_permissions[input.action]
  not person.configMgr[permission][device.hierarchy]
}

refused if {
  not intune_decides
  input.action == "runCmPivotQuery"
  not granted.runCmPivot
  not granted.runScript
}

discovered if {
  person.configMgr.discoveredByEntra[device.hierarchy]
  person.configMgr.discoveredByActiveDirectory[device.hierarchy]
}

granted[permission] if {
  some permission in ["read", "readResource", "notifyResource", "runCmPivot", "runScript", "readBitLockerRecoveryKey"]
  some collection, _ in device.collections
  person.configMgr[permission][collection]
}

collection_permissions := {
  "viewResourceExplorer": ["readResource"],
  "viewTimeline": ["readResource", "notifyResource"],
  "viewScripts": ["readResource"],
  "runScript": ["readResource", "runScript"],
  "rotateBitLockerKeys": ["readBitLockerRecoveryKey"],
  "initiateConfigurationManagerAction": ["notifyResource"],
}

hierarchy_permissions := {
  "viewScripts": ["readScripts"],
  "runScript": ["readScripts"],
  "viewApplications": ["readApplications", "approveApplications"],
  "takeApplicationActions": ["readApplications", "approveApplications"],
}
