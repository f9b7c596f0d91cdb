function Assert-ProtectedPath {
    <#
    .SYNOPSIS
    Refuses a file or folder that SYSTEM would trust although others than administrators may change it.
    .NOTES
    Source: the access rights of Windows files (FILE_WRITE_DATA, FILE_APPEND_DATA, FILE_DELETE_CHILD, DELETE, WRITE_DAC,
    WRITE_OWNER, GENERIC_ALL, GENERIC_WRITE). Trusted are SYSTEM, the Administrators and TrustedInstaller.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $LiteralPath,

        [Parameter(Mandatory = $true)]
        [string] $WayOut
    )

    $trusted = @(
        'S-1-5-18', 'S-1-5-32-544', 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
    )
    $changing = 0x2 -bor 0x4 -bor 0x40 -bor 0x10000 -bor 0x40000 -bor 0x80000 -bor 0x10000000 -bor 0x40000000
    $inheritOnly = [System.Security.AccessControl.PropagationFlags]::InheritOnly
    $sid = [System.Security.Principal.SecurityIdentifier]
    $acl = Get-Acl -LiteralPath $LiteralPath
    $others = @()
    if ($trusted -notcontains $acl.GetOwner($sid).Value) {
        $others += $acl.Owner
    }
    foreach ($rule in $acl.GetAccessRules($true, $true, $sid)) {
        $isAllowed = $rule.AccessControlType -eq [System.Security.AccessControl.AccessControlType]::Allow
        $isHere = ($rule.PropagationFlags -band $inheritOnly) -eq 0
        $mayChange = ([int] $rule.FileSystemRights -band $changing) -ne 0
        if ($isAllowed -and $isHere -and $mayChange -and ($trusted -notcontains $rule.IdentityReference.Value)) {
            $others += $rule.IdentityReference.Value
        }
    }
    if ($others.Count -gt 0) {
        throw (ConvertTo-DriveError -Id 'PathUnprotected' -Category 'SecurityError' -Target $LiteralPath -Message (
                "SYSTEM would run with $LiteralPath, which others than administrators can change: " +
                (($others | Select-Object -Unique) -join ', ') + '.') -WayOut $WayOut)
    }
}
