function New-S3RcloneDrive {
    <#
    .SYNOPSIS
    Makes a data set a drive of this server, for everybody who may use it, until it is removed.

    .DESCRIPTION
    Makes a Windows service that keeps the data set as a drive with rclone and WinFsp. It runs as SYSTEM, so that every
    session sees the drive, and starts with Windows. No key is stored: rclone asks the Strongroom agent of this server
    for short credentials. The drive of an original is read-only. Before anything is made, the data set is read once;
    where that fails the command says what is wrong and what to do. Needs an elevated session.

    .PARAMETER BucketName
    The repository of the data set, as its page shows it: dataset-<organization>-<id>.

    .PARAMETER DriveLetter
    The letter for the drive, with or without a colon. Without it the next free one from Z down to D is taken.

    .PARAMETER AllowedGroup
    Who may open the drive besides administrators: a local or domain group, or a user. Without it everybody who can
    sign in to this server.

    .PARAMETER ReadOnly
    Makes the drive read-only although this server may write (a derivative).

    .EXAMPLE
    New-S3RcloneDrive -BucketName dataset-ss-9ec7c0b6-a6c6-488c-a856-75d94c86e136

    Makes the data set the next free drive.

    .EXAMPLE
    New-S3RcloneDrive -DriveLetter S -AllowedGroup LAB\Sleep -BucketName dataset-ss-9ec7c0b6-a6c6-488c-a856-75d94c86e136

    Makes it the drive S:, which only the members of LAB\Sleep may open.

    .OUTPUTS
    Strongroom.S3RcloneDrive, as Get-S3RcloneDrive gives it.
    #>
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium')]
    [OutputType('Strongroom.S3RcloneDrive')]
    param(
        [Parameter(Mandatory = $true)]
        [ValidatePattern('^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$')]
        [string] $BucketName,

        [ValidatePattern('^[D-Zd-z]:?\\?$')]
        [string] $DriveLetter,

        [string] $AllowedGroup,

        [switch] $ReadOnly
    )

    try {
        Assert-Elevated
        Assert-WinFsp
        Assert-NoForeignKey
        $rclone = Find-Rclone
        $agent = Get-StrongroomAgent
        Assert-NotMounted -BucketName $BucketName
        $isReadOnly = $ReadOnly.IsPresent -or (Test-ReadOnlyGrant -Agent $agent -BucketName $BucketName)
        $letter = Resolve-DriveLetter -DriveLetter $DriveLetter
        $security = Resolve-DriveSecurity -IsReadOnly $isReadOnly -AllowedGroup $AllowedGroup
        if ($PSCmdlet.ShouldProcess("${letter}:", "Make $BucketName a drive")) {
            Mount-Drive -Rclone $rclone -Agent $agent -BucketName $BucketName -DriveLetter $letter `
                -Security $security -IsReadOnly $isReadOnly
            Get-S3RcloneDrive -DriveLetter $letter
        }
    }
    catch {
        $PSCmdlet.ThrowTerminatingError($_)
    }
}
